import { describe, expect, test } from 'vitest'
import { startHealth } from './health.ts'
import { MemberRole } from './roster.ts'
import { memberRole, memberState, type Standing } from './standing.ts'
import { MemberState } from './table.ts'

const { up, down, draining, unknown, notReady } = MemberState
const { eligible, waiting, held, leaving, gone } = MemberRole

const healthy = { ...startHealth(up, 0), isNew: false }
const well: Standing = {
  health: healthy,
  isReady: true,
  isDeleted: false,
  isDrained: false,
  isWaiting: false,
}

describe('what a proxy is and may do', () => {
  test.each<readonly [string, Partial<Standing>, MemberState, MemberRole]>([
    ['well', {}, up, eligible],
    ['back, but waiting', { isWaiting: true }, up, waiting],
    ['drained by annotation', { isDrained: true }, draining, leaving],
    ['drained while waiting', { isDrained: true, isWaiting: true }, draining, leaving],
    ['not ready', { isReady: false }, notReady, gone],
    ['deleted', { isDeleted: true }, draining, gone],
    ['deleted, its containers stopping', { isDeleted: true, isReady: false }, draining, gone],
    ['answering 503', { health: { ...healthy, state: draining } }, draining, gone],
    ['dead', { health: { ...healthy, state: down } }, down, gone],
    ['dead and deleted', { health: { ...healthy, state: down }, isDeleted: true }, down, gone],
    ['dead and drained', { health: { ...healthy, state: down }, isDrained: true }, down, gone],
    ['new, not probed yet', { health: startHealth(null, 0) }, unknown, gone],
    ['not probed since the restart', { health: startHealth(draining, 0) }, unknown, held],
    ['Up in the last table, not probed yet', { health: startHealth(up, 0) }, up, eligible],
  ])('%s', (_, facts, state, role) => {
    const standing = { ...well, ...facts }
    expect([memberState(standing), memberRole(standing)]).toEqual([state, role])
  })
})
