import { describe, expect, it } from 'vitest'
import { type Announcement, parseAnnouncement } from './announcement.ts'

const announcement: Announcement = {
  announced: ['203.0.113.10'],
  held: ['203.0.113.10', '2001:db8:53::10'],
  isInMaintenance: false,
  sessions: [
    { peer: 'tor-a', peerAddress: '192.0.2.1', state: 'Established', bfd: 'Up', announced: 1 },
    { peer: 'tor-b', state: 'Active', since: '2026-11-23T10:00:00.000Z', message: 'refused' },
  ],
  sessionsWanted: 2,
  problems: [{ reason: 'BirdRefused', message: 'syntax error' }],
}

describe('what the announcer sent', () => {
  it('is an announcement', () => {
    expect(parseAnnouncement(JSON.stringify(announcement))).toEqual(announcement)
    const bare = { ...announcement, sessions: null, problems: [] }
    expect(parseAnnouncement(JSON.stringify(bare))).toEqual(bare)
  })

  it.each([
    [{ announced: 'all' }],
    [{ held: [1] }],
    [{ isInMaintenance: 'no' }],
    [{ sessions: {} }],
    [{ sessions: [null] }],
    [{ sessions: [{ peer: 'tor-a', state: 'Well' }] }],
    [{ sessions: [{ peer: 'tor-a', state: 'toString' }] }],
    [{ sessions: [{ peer: 'tor-a', state: 'Idle', bfd: 'Perhaps' }] }],
    [{ sessions: [{ peer: 'tor-a', state: 'Idle', announced: -1 }] }],
    [{ sessionsWanted: 1.5 }],
    [{ problems: [{ reason: 'BirdRefused' }] }],
    [{ problems: [{ reason: 'BIRD refused', message: '' }] }],
    [{ problems: undefined }],
  ])('is none with %j', (wrong) => {
    expect(parseAnnouncement(JSON.stringify({ ...announcement, ...wrong }))).toBeNull()
  })

  it('is none where it is no JSON, or another', () => {
    for (const text of ['', '{', 'null', '[]', '7']) expect(parseAnnouncement(text)).toBeNull()
  })
})
