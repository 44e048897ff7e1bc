import { encodeTable, type Table } from '@sipcast/mapping'
import { describe, expect, it } from 'vitest'
import { KEY_ID, table } from './forward.fixture.ts'
import { REMOVED_MAX, SIP_PROXIES_MAX } from './limits.ts'
import { Tables } from './tables.ts'

const ID = 'default.registrars'
const EARLY = '2026-01-01T00:00:00.000Z'
const LATER = '2026-01-01T00:00:00.001Z'
const document = (change: Partial<Table> = {}): string => encodeTable(table(change))

/** Offers documents in turn, settling after each; the refusals' reasons, or what became of the others. */
function offer(tables: Tables, ...documents: readonly (string | null)[]): readonly string[] {
  return documents.map((text) => {
    const outcome = tables.offer(ID, text)
    tables.settle([KEY_ID])
    return outcome.kind === 'refused' ? outcome.reason : outcome.kind
  })
}

const epochInUse = (tables: Tables): number | undefined => tables.inUse().get(ID)?.epoch

describe('a table document', () => {
  it('comes into use when it is newer', () => {
    const tables = new Tables()
    expect(offer(tables, document(), document({ epoch: 2 }))).toEqual(['taken', 'taken'])
    expect(epochInUse(tables)).toBe(2)
    expect(tables.problem(ID)).toBeNull()
  })

  it('has its slots in shared memory then', () => {
    const tables = new Tables()
    offer(tables, document())
    const { owners, backups } = tables.inUse().get(ID)!
    expect([owners.buffer, backups.buffer].map((one) => one.constructor)).toEqual([
      SharedArrayBuffer,
      SharedArrayBuffer,
    ])
    expect([...owners]).toEqual([...table().owners])
  })

  it('is known when it comes again', () => {
    const tables = new Tables()
    expect(offer(tables, document(), document())).toEqual(['taken', 'same'])
  })

  const bad: readonly [string, string | null, string][] = [
    ['is cut off', document({ epoch: 2 }).slice(0, 700), 'TableNotJson'],
    [
      'has another checksum',
      document({ epoch: 2 }).replace('"port":5060', '"port":5061'),
      'TableBadChecksum',
    ],
    ['has a field out of range', document({ epoch: 2, panicPercent: 101 }), 'TableBadField'],
    ['is of a later schema', document({ epoch: 2, schema: 2 as 1 }), 'TableUnsupported'],
    ['is empty', '', 'TableNotJson'],
    ['is longer than allowed', null, 'TableTooLong'],
    ['is of another SipProxy', document({ epoch: 2, name: 'others' }), 'TableWrongName'],
    ['goes back in epochs', document({ epoch: 0 }), 'EpochBack'],
    ['has the epoch in use and another content', document({ port: 5080 }), 'EpochReused'],
    ['is of an object that is no later', document({ uid: 'uid-2', epoch: 9 }), 'ObjectNotLater'],
  ]
  it.each(bad)('that %s is refused with a reason, and the old one serves on', (_, text, reason) => {
    const tables = new Tables()
    expect(offer(tables, document(), text)).toEqual(['taken', reason])
    expect(epochInUse(tables)).toBe(1)
    expect(tables.problem(ID)).toMatchObject({ reason, message: expect.stringMatching(/.{10}/) })
    offer(tables, document({ epoch: 2 }))
    expect(tables.problem(ID)).toBeNull()
  })

  it('of an object deleted and made again counts from any epoch on', () => {
    const tables = new Tables()
    const anew = document({ uid: 'uid-2', objectCreated: LATER, epoch: 1 })
    expect(offer(tables, document({ epoch: 7 }), anew)).toEqual(['taken', 'taken'])
    expect(tables.inUse().get(ID)?.uid).toBe('uid-2')
    expect(offer(tables, document({ epoch: 8, objectCreated: EARLY }))).toEqual(['ObjectNotLater'])
  })
})

describe('a table whose signing key is not here yet', () => {
  it('waits, says so, and the old one serves on', () => {
    const tables = new Tables()
    offer(tables, document(), document({ epoch: 2, signingKey: 99 }))
    expect(epochInUse(tables)).toBe(1)
    expect(tables.problem(ID)).toMatchObject({ reason: 'SigningKeyUnknown' })
    expect(tables.settle([KEY_ID, 99]).map(({ table: { epoch } }) => epoch)).toEqual([2])
    expect(tables.problem(ID)).toBeNull()
  })

  it('is not passed by an older one', () => {
    const tables = new Tables()
    tables.offer(ID, document({ epoch: 5 }))
    expect(tables.offer(ID, document({ epoch: 4 }))).toMatchObject({ reason: 'EpochBack' })
    tables.settle([KEY_ID])
    expect(epochInUse(tables)).toBe(5)
  })
})

describe('a removed SipProxy', () => {
  it('is no longer served, and no older table revives it', () => {
    const tables = new Tables()
    offer(tables, document(), document({ epoch: 2, removed: true }))
    expect(tables.inUse().size).toBe(0)
    expect(tables.ids).toEqual([])
    expect(offer(tables, document())).toEqual(['EpochBack'])
    expect(offer(tables, document({ epoch: 1, uid: 'uid-2', objectCreated: LATER }))).toEqual([
      'taken',
    ])
    expect(tables.inUse().size).toBe(1)
  })

  it('needs no key to be removed', () => {
    const tables = new Tables()
    offer(tables, document(), document({ epoch: 2, removed: true, signingKey: 99 }))
    expect(tables.inUse().size).toBe(0)
  })

  it('is forgotten at last, the oldest first, and only when its document is gone', () => {
    const tables = new Tables()
    const ids = Array.from({ length: REMOVED_MAX + 2 }, (_, index) => `default.r${index}`)
    for (const id of ids) {
      tables.offer(id, document({ name: id.slice(8), removed: true }))
      tables.settle([])
    }
    expect(tables.forget(new Set(ids))).toEqual([])
    expect(tables.forget(new Set())).toEqual(['default.r0', 'default.r1'])
    expect(tables.forget(new Set())).toEqual([])
  })
})

it('knows no more than so many SipProxies', () => {
  const tables = new Tables()
  for (let index = 0; index < SIP_PROXIES_MAX; index++) tables.offer(`default.${index}`, '')
  expect(tables.offer(ID, document())).toMatchObject({ reason: 'TooManySipProxies' })
  expect(tables.ids).toHaveLength(SIP_PROXIES_MAX)
  tables.forget(new Set())
  expect(tables.offer(ID, document())).toMatchObject({ kind: 'taken' })
})
