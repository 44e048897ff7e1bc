/**
 * The mapping lives: proxies die, freeze, drain, return, come and go, and the operator with them, while phones register
 * and call. At every step: what status and tables say, and that no call fails but those that the design excuses
 * (excuses.ts). One story, told in order; how long failovers took is printed at its end, and held to generous bounds
 * only.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import {
  byOutcome,
  eventually,
  header,
  isFailed,
  Load,
  type Phone,
  QUICK_TIMERS,
  type Session,
  servedBy,
} from '@sipcast/lab'
import type { Table } from '@sipcast/mapping'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { requires } from '../requires.ts'
import { Excuses } from './excuses.ts'
import { RouteWatch } from './route-watch.ts'
import { condition, messageOf, proxyIn } from './sip-proxy-status.ts'
import { ownerIn, SIP_PROXY, System } from './system.ts'
import { movesBetween, sharesOf } from './table-log.ts'
import { TableWatch } from './table-watch.ts'

const SLOTS = 256
/** Quick, so that the story is short; 64 slots a second. */
const HAND_BACK = { after: '500ms', maxMovedPercent: 25, per: '1s' }
const BUDGET = SLOTS / 4
/** Of design section 8, and a busy machine's share on top. */
const SLACK_MS = 1_500
const ICMP_MAX_MS = 700 + SLACK_MS
const SILENT_MAX_MS = 1_600 + SLACK_MS
/** A balancer alone probes every 2 s, and believes the second silence. */
const SILENT_ALONE_MAX_MS = 2 * 2_000 + 400 + SLACK_MS
const USERS_PER_PROXY = 4

type Trait = { readonly weight?: number; readonly drain?: boolean }

describe.runIf(requires('kamailio', 'nftables', 'network-namespaces'))('the living mapping', () => {
  let system: System
  let tables: TableWatch
  let load: Load
  let excuses: Excuses
  let stepBeganMs = 0
  const measured: string[] = []

  beforeAll(async () => {
    system = await System.start({
      kind: 'kamailio',
      balancers: 2,
      registrars: 4,
      inManifest: 3,
      spec: { mapping: { slots: SLOTS, handBack: HAND_BACK } },
    })
    tables = await TableWatch.start(system.directory, SIP_PROXY)
    const users = [0, 1, 2].flatMap((index) => usersOf(`registrar-${index}`, USERS_PER_PROXY))
    load = await Load.start(system, users)
    excuses = new Excuses(load, tables)
  })

  beforeEach(() => {
    stepBeganMs = performance.now()
  })

  afterEach(({ task }) => {
    const calls = load.calls.filter(({ endedMs }) => endedMs >= stepBeganMs)
    const seconds = ((performance.now() - stepBeganMs) / 1000).toFixed(1)
    measured.push(`${task.name} (${seconds} s): calls ${JSON.stringify(byOutcome(calls))}`)
    const inexcusable = calls.filter((call) => isFailed(call) && !excuses.isExcused(call))
    expect(inexcusable).toEqual([])
  })

  afterAll(async () => {
    await load?.stop()
    await tables?.stop()
    await system?.stop()
    process.stdout.write(`\nliving mapping:\n  ${measured.join('\n  ')}\n`)
  })

  test('at the beginning: all up, slots shared, balancers in sync, everybody is reached', async () => {
    const status = await system.untilStatus(
      'Ready',
      (now) => condition(now, 'Ready') === 'True/Serving',
    )
    expect(status.summary).toEqual({ proxies: '3/3', balancers: '2/2' })
    expect(condition(status, 'Accepted')).toBe('True/Accepted')
    expect(condition(status, 'Degraded')).toBe('False/AsExpected')
    expect(condition(status, 'TableInSync')).toBe('True/InSync')
    expect(status.table).toMatchObject({ epoch: tables.latest.epoch, slots: SLOTS })
    expectBalanced(tables.latest, ['registrar-0', 'registrar-1', 'registrar-2'])
    expect(await load.unreachable()).toEqual([])
  })

  test('killed: ICMP tells; exactly its slots move; its calls go on; its users are reached again', async () => {
    await failsOver('registrar-1', 'kill', { reason: 'Refused', within: ICMP_MAX_MS })
  })

  test('returned: it waits, then gets its share back within the budget', async () => {
    await returns('registrar-1')
  })

  test('frozen: silence tells; exactly its slots move; its calls go on; its users are reached again', async () => {
    await failsOver('registrar-2', 'freeze', { reason: 'NoAnswer', within: SILENT_MAX_MS })
  })

  test('thawed: as if it had returned', async () => {
    await returns('registrar-2')
  })

  test('drained: gives all away within the budget, and keeps the calls it has', async () => {
    const before = tables.latest
    const talk = await talkThrough('registrar-0')
    await writePool({ 'registrar-0': { drain: true }, 'registrar-1': {}, 'registrar-2': {} })
    const status = await system.untilStatus(
      'drained',
      (now) => proxyIn(now, 'registrar-0').slots === 0,
    )
    expect(proxyIn(status, 'registrar-0')).toMatchObject({
      state: 'Draining',
      reason: 'DrainRequested',
    })
    expect(status.summary.proxies).toBe('2/3')
    expect(condition(status, 'Ready')).toBe('True/Serving')
    await system.untilServing()
    expectOnlyFrom('registrar-0', before)
    expectWithinBudget(before)
    expectBalanced(tables.latest, ['registrar-1', 'registrar-2'])
    // Not dead: what is in a dialog still goes through it.
    expect(await talk.goesOn()).toEqual(['registrar-0', 'registrar-0'])
    await talk.end()
    await expectReached()

    const drained = tables.latest
    await writePool({ 'registrar-0': {}, 'registrar-1': {}, 'registrar-2': {} })
    await untilShared(['registrar-0', 'registrar-1', 'registrar-2'])
    expectOnlyTo('registrar-0', drained)
    expectWithinBudget(drained)
  })

  test('weight changed: shares follow, with the fewest moves, within the budget', async () => {
    const before = tables.latest
    await writePool({ 'registrar-0': {}, 'registrar-1': { weight: 3 }, 'registrar-2': {} })
    await eventually('the shares of 1:3:1', () => {
      const shares = Object.values(sharesNow())
      return shares.every((share, index) => Math.abs(share - (SLOTS * [1, 3, 1][index]!) / 5) < 1)
    })
    expectOnlyTo('registrar-1', before)
    expectWithinBudget(before)
    const heavier = tables.latest
    await writePool({ 'registrar-0': {}, 'registrar-1': {}, 'registrar-2': {} })
    await untilShared(['registrar-0', 'registrar-1', 'registrar-2'])
    expectOnlyFrom('registrar-1', heavier)
    await expectReached()
  })

  test('added: the newcomer gets its share and nobody else anything', async () => {
    const before = tables.latest
    await writePool({ 'registrar-0': {}, 'registrar-1': {}, 'registrar-2': {}, 'registrar-3': {} })
    await untilShared(['registrar-0', 'registrar-1', 'registrar-2', 'registrar-3'])
    expectOnlyTo('registrar-3', before)
    expectWithinBudget(before)
    expect((await system.status()).summary.proxies).toBe('4/4')
    await expectReached()
  })

  test('removed: its slots move at once; calls through it outlive it', async () => {
    const before = tables.latest
    const talk = await talkThrough('registrar-0')
    await writePool({ 'registrar-1': {}, 'registrar-2': {}, 'registrar-3': {} })
    await untilShared(['registrar-1', 'registrar-2', 'registrar-3'])
    expectOnlyFrom('registrar-0', before)
    expect(tables.after(before)).toHaveLength(1)
    const { address, port } = before.members.find(({ id }) => id === 'registrar-0')!
    expect(tables.latest.former).toMatchObject([{ address, port }])
    expect((await system.status()).proxies.map(({ name }) => name)).not.toContain('registrar-0')
    expect(await talk.goesOn()).toEqual([null, null])
    await talk.end()
    await expectReached()
  })

  test('manifest broken: said where and why, the last good spec is in force, even for a failure', async () => {
    await system.directory.writeRawManifest(
      SIP_PROXY,
      `kind: SipProxy\nmetadata: {name: ${SIP_PROXY}}\nspec: [\n`,
    )
    const unreadable = await system.untilStatus('ManifestUnreadable', (now) =>
      condition(now, 'Accepted').startsWith('False'),
    )
    expect(condition(unreadable, 'Accepted')).toBe('False/ManifestUnreadable')
    expect(messageOf(unreadable, 'Accepted')).toMatch(
      /registrars\.yaml.* line 4.*last good spec stays in force \(epoch \d+, 3 proxies\)/,
    )
    await failsOver('registrar-1', 'kill', { reason: 'Refused', within: ICMP_MAX_MS })

    await writePool({ 'registrar-1': { weight: 0 }, 'registrar-2': {}, 'registrar-3': {} })
    const invalid = await system.untilStatus(
      'InvalidSpec',
      (now) => condition(now, 'Accepted') === 'False/InvalidSpec',
    )
    expect(messageOf(invalid, 'Accepted')).toMatch(/spec\.proxies\.static.*weight/)
    expect(condition(invalid, 'Ready')).toBe('False/NotAccepted')
  })

  test('manifest mended, and the registrar returned', async () => {
    await writePool({ 'registrar-1': {}, 'registrar-2': {}, 'registrar-3': {} })
    await system.untilStatus('Accepted', (now) => condition(now, 'Accepted') === 'True/Accepted')
    await returns('registrar-1')
  })

  test('all dead: 503 with Retry-After, the last table stays; all back: as before', async () => {
    const names = ['registrar-1', 'registrar-2', 'registrar-3']
    const phone = await system.phone('watcher', { timers: QUICK_TIMERS })
    for (const name of names) excuses.troubled(name)
    const killedMs = performance.now()
    await Promise.all(names.map((name) => registrar(name).kill()))
    const refusal = await eventually('503', async () => {
      const response = await phone.request('OPTIONS', load.users[0]!)
      return response.status === 503 && response
    })
    measured.push(`  all killed → 503: ${since(killedMs)}`)
    expect(header(refusal, 'retry-after')).toMatch(/^\d+$/)
    const dead = await system.untilStatus(
      'AllProxiesDown',
      (now) => condition(now, 'Degraded') === 'True/AllProxiesDown',
    )
    expect(condition(dead, 'Ready')).toBe('False/NoEligibleProxy')
    expect(dead.summary.proxies).toBe('0/3')
    expect(messageOf(dead, 'Degraded')).toMatch(/The last table, epoch \d+, stays\. Bring one back/)
    const last = tables.latest
    const owned = Object.values(sharesNow()).reduce((sum, share) => sum + share, 0)
    expect(owned).toBe(SLOTS)
    await sleep(500)
    expect(tables.latest.sha256).toBe(last.sha256)

    const revivedMs = performance.now()
    await Promise.all(names.map((name) => registrar(name).revive()))
    await untilShared(names)
    await system.untilStatus('Ready', (now) => condition(now, 'Ready') === 'True/Serving')
    await untilUnmarked()
    measured.push(`  all started again → shared as before: ${since(revivedMs)}`)
    for (const name of names) excuses.well(name)
    await expectReached()
    phone.close()
  })

  test('operator absent while one is killed: balancers bridge it; back, it moves that one’s slots only', async () => {
    const before = tables.latest
    await system.operator.kill()
    const talk = await talkThrough('registrar-2')
    const { avoidedMs } = await avoided('registrar-2', 'kill')
    measured.push(`  operator absent, killed (ICMP) → avoided: ${avoidedMs.toFixed()} ms`)
    expect(avoidedMs).toBeLessThan(ICMP_MAX_MS)
    for (const report of await reports()) {
      expect(report.deadMarks).toMatchObject([{ id: 'registrar-2' }])
    }
    expect(tables.latest.sha256).toBe(before.sha256)
    expect(await talk.goesOn()).toEqual([null, null])
    await talk.end()
    await expectReached()

    await system.operator.revive()
    const down = await system.untilStatus(
      'Down',
      (now) => proxyIn(now, 'registrar-2').state === 'Down',
    )
    expect(condition(down, 'Degraded')).toBe('True/ProxiesDown')
    await system.untilServing()
    expectOnlyFrom('registrar-2', before)
    expectBalanced(tables.latest, ['registrar-1', 'registrar-3'])
    await expectReached()
    await returns('registrar-2')
  })

  test('operator absent while one freezes and thaws: balancers bridge that, too, and nothing has moved', async () => {
    const before = tables.latest
    await system.operator.kill()
    const { avoidedMs } = await avoided('registrar-3', 'freeze')
    measured.push(`  operator absent, frozen → avoided: ${avoidedMs.toFixed()} ms`)
    expect(avoidedMs).toBeLessThan(SILENT_ALONE_MAX_MS)
    await expectReached()
    await registrar('registrar-3').revive()
    await untilUnmarked()
    excuses.well('registrar-3')
    await system.operator.revive()
    await system.untilStatus('Ready', (now) => condition(now, 'Degraded') === 'False/AsExpected')
    expect(movesBetween(before, tables.latest).moved).toBe(0)
    await expectReached()
  })

  test('all along: most calls had no excuse to fail, and so did not', () => {
    const bound = load.calls.filter((call) => !excuses.isExcused(call))
    expect(bound.length).toBeGreaterThan(load.calls.length / 2)
    expect(bound.filter(isFailed)).toEqual([])
    measured.push(`  ${bound.length} of ${load.calls.length} calls had to complete, and did`)
  })

  /** Kills or freezes it and looks at everything that shall follow. */
  async function failsOver(
    name: string,
    how: 'kill' | 'freeze',
    expected: { readonly reason: string; readonly within: number },
  ): Promise<void> {
    const before = tables.latest
    const others = Object.keys(sharesNow()).filter((other) => other !== name)
    const talk = await talkThrough(name)
    const { failedMs, avoidedMs } = await avoided(name, how)
    const down = await system.untilStatus('Down', (now) => proxyIn(now, name).state === 'Down')
    await system.untilServing()
    const published = tables.seenAtMs(tables.after(before)[0]!) - failedMs
    measured.push(
      `  ${how === 'kill' ? 'killed (ICMP)' : 'frozen'} → avoided: ${avoidedMs.toFixed()} ms, table: ${published.toFixed()} ms`,
    )
    expect(avoidedMs).toBeLessThan(expected.within)
    expect(proxyIn(down, name)).toMatchObject({ reason: expected.reason, slots: 0 })
    expect(condition(down, 'Degraded')).toBe('True/ProxiesDown')
    expect(messageOf(down, 'Degraded')).toContain(`${name} (${expected.reason})`)
    expect(tables.after(before)).toHaveLength(1)
    expect(tables.latest.epoch).toBe(before.epoch + 1)
    expectOnlyFrom(name, before)
    expect(down.table).toMatchObject({
      epoch: tables.latest.epoch,
      lastMoves: sharesOf(before)[name],
    })
    expectBalanced(tables.latest, others)
    // The calls it carried go on past it.
    expect(await talk.goesOn()).toEqual([null, null])
    await talk.end()
    await expectReached()
  }

  /** Starts or thaws it, and waits until all is as before. */
  async function returns(name: string): Promise<void> {
    const before = tables.latest
    const others = Object.keys(sharesNow()).filter((other) => other !== name)
    const revivedMs = performance.now()
    await registrar(name).revive()
    const waiting = await system.untilStatus('Up', (now) => proxyIn(now, name).state === 'Up')
    measured.push(`  revived → Up: ${since(revivedMs)}`)
    expect(proxyIn(waiting, name)).toMatchObject({ reason: 'AwaitingHandBack', slots: 0 })
    await untilUnmarked()
    excuses.well(name)
    await untilShared([name, ...others])
    expectOnlyTo(name, before)
    expectWithinBudget(before)
    await system.untilStatus(
      'AsExpected',
      (now) => condition(now, 'Degraded') === 'False/AsExpected',
    )
    await expectReached()
  }

  /** Makes it fail; how long balancers went on sending users there, in milliseconds. */
  async function avoided(name: string, how: 'kill' | 'freeze') {
    const watch = await RouteWatch.start(system.routes, usersOf(name, 8, 'nobody'))
    try {
      await eventually('requests that it answers', () => {
        const answers = watch.recently()
        return answers.length > 20 && answers.every((answer) => answer === name)
      })
      excuses.troubled(name)
      const failedMs = performance.now()
      if (how === 'kill') await registrar(name).kill()
      else registrar(name).freeze()
      return { failedMs, avoidedMs: await watch.untilAvoided(name, failedMs) }
    } finally {
      watch.stop()
    }
  }

  /** A call that this registrar routed. `goesOn` says which registrars re-INVITEs pass, from either end. */
  async function talkThrough(name: string) {
    const [callee] = usersOf(name, 1, `talker-${Math.random().toString(36).slice(2)}`)
    const one = await system.registered('caller', { home: 0, timers: QUICK_TIMERS })
    const other = await system.registered(callee!, { home: 1, timers: QUICK_TIMERS })
    const session = await one.call(callee!).answered
    const back = await other.sessions.next()
    await back.acks.next()
    const through = async (from: Session, to: Phone): Promise<string | null> => {
      expect((await from.reinvite()).status).toBe(200)
      const invite = to.log.requests('in', 'INVITE').at(-1)!.message
      return servedBy(invite)[0] ?? null
    }
    return {
      goesOn: async () => [await through(session, other), await through(back, one)],
      end: async () => {
        expect((await back.hangUp()).status).toBe(200)
        expect(await session.ended).toBe('remoteHungUp')
        one.close()
        other.close()
      },
    }
  }

  /** Once all have registered anew, all can be called. */
  async function expectReached(): Promise<void> {
    await load.untilRegistered(performance.now())
    expect(await load.unreachable()).toEqual([])
  }

  async function writePool(traits: Readonly<Record<string, Trait>>): Promise<void> {
    const entries = system.entries().filter(({ name }) => name in traits)
    await system.writeManifest({
      proxies: { static: entries.map((entry) => ({ ...entry, ...traits[entry.name] })) },
    })
  }

  async function untilShared(names: readonly string[]): Promise<void> {
    await eventually(`slots shared by ${names.join(', ')}`, () => {
      const shares = Object.values(sharesNow()).filter((share) => share > 0)
      const isEven = shares.every((share) => Math.abs(share - SLOTS / names.length) < 1)
      return shares.length === names.length && isEven
    })
    await system.untilServing()
    expectBalanced(tables.latest, names)
  }

  /** No balancer holds anybody dead. */
  async function untilUnmarked(): Promise<void> {
    await eventually('no dead marks', async () =>
      (await reports()).every(({ deadMarks }) => deadMarks.length === 0),
    )
  }

  async function reports() {
    const all = await Promise.all(
      system.balancers.map(({ name }) => system.directory.balancer(name)),
    )
    return all.map((report) => report!.sipProxies[0]!)
  }

  function registrar(name: string) {
    return system.registrars.find((one) => one.name === name)!
  }

  /** So many users of this registrar's, by the table as it is: `PREFIX-0`, …, without those of others. */
  function usersOf(name: string, count: number, prefix = 'user'): string[] {
    const users: string[] = []
    for (let number = 0; users.length < count; number++) {
      const user = `${prefix}-${number}`
      if (ownerIn(tables.latest, user) === name) users.push(user)
    }
    return users
  }

  function sharesNow(): Record<string, number> {
    return sharesOf(tables.latest)
  }

  /** Since that table, whatever moved was this one's, and now it has nothing, or what it keeps. */
  function expectOnlyFrom(name: string, before: Table): void {
    const { moved, members } = movesBetween(before, tables.latest)
    expect(moved).toBe(members.find(({ id }) => id === name)!.lost)
    expect(moved).toBe(sharesOf(before)[name]! - (sharesNow()[name] ?? 0))
  }

  function expectOnlyTo(name: string, before: Table): void {
    const { moved, members } = movesBetween(before, tables.latest)
    expect(moved).toBe(members.find(({ id }) => id === name)!.gained)
    expect(moved).toBe(sharesNow()[name]! - (sharesOf(before)[name] ?? 0))
  }

  /** Between any two tables, no more than the budget of one period moved. */
  function expectWithinBudget(before: Table): void {
    let last = before
    for (const table of tables.after(before)) {
      expect(movesBetween(last, table).moved).toBeLessThanOrEqual(BUDGET)
      last = table
    }
  }
})

function expectBalanced(table: Table, names: readonly string[]): void {
  const shares = Object.entries(sharesOf(table)).filter(([, share]) => share > 0)
  expect(shares.map(([name]) => name).toSorted()).toEqual([...names].toSorted())
  for (const [, share] of shares) expect(Math.abs(share - SLOTS / names.length)).toBeLessThan(1)
}

function since(beganMs: number): string {
  return `${(performance.now() - beganMs).toFixed()} ms`
}
