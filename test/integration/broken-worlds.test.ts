/**
 * The whole system in a world that breaks: tables spoilt, keys lost, disks full, ports taken, addresses gone, the
 * operator away. Each time: who says so and in which words, that real messages go through every balancer meanwhile, and
 * that all is well again once the world is. Each program alone: operator.test.ts, balancer.test.ts.
 */
import { execFile } from 'node:child_process'
import { readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { BalancedSipProxy } from '@sipcast/crds'
import {
  eventually,
  type Node,
  openSocket,
  type Part,
  type Phone,
  QUICK_TIMERS,
  SHARED_IPV4,
} from '@sipcast/lab'
import { encodeTable, type Table } from '@sipcast/mapping'
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { requires } from '../requires.ts'
import { listenTo } from './listen-to.ts'
import { RouteWatch } from './route-watch.ts'
import { condition, messageOf, proxyIn } from './sip-proxy-status.ts'
import { SIP_PROXY, System } from './system.ts'
import { movesBetween } from './table-log.ts'

const REGISTRARS = ['registrar-0', 'registrar-1', 'registrar-2']
const HAND_BACK = { after: '0s', maxMovedPercent: 100, per: '1s' }
const run = promisify(execFile)

const needs = ['kamailio', 'nftables', 'network-namespaces', 'mounts'] as const

describe.runIf(requires(...needs))('broken worlds', () => {
  let system: System
  /** One user of each registrar. */
  let phones: Phone[]

  beforeAll(async () => {
    system = await System.start({
      kind: 'kamailio',
      balancers: 2,
      registrars: REGISTRARS.length,
      diskKib: 4_096,
      spec: { mapping: { slots: 256, handBack: HAND_BACK } },
    })
    const users = await Promise.all(REGISTRARS.map((name) => system.userOf(name)))
    phones = await Promise.all(users.map((user) => system.registered(user)))
  })

  afterEach(async ({ task }) => {
    // So that one failure does not look like many.
    if (task.result?.state === 'fail') await repair()
    await untilWell()
    await registerAll()
    await expectService()
  })

  afterAll(async () => {
    await system?.stop()
  })

  describe('tables', () => {
    const rows: readonly [string, string, string, (now: Table, before: Table) => string | null][] =
      [
        ['truncated', 'TableNotJson', 'TableDamaged', (now) => encodeTable(now).slice(0, 700)],
        [
          'with a wrong checksum',
          'TableBadChecksum',
          'TableDamaged',
          (now) => encodeTable(now).replace('"panicPercent":50', '"panicPercent":51'),
        ],
        ['of an epoch gone back', 'EpochBack', 'TableForeign', (_, before) => encodeTable(before)],
        [
          'of another object, not younger',
          'ObjectNotLater',
          'TableForeign',
          (now) => encodeTable({ ...now, uid: 'another', epoch: now.epoch + 9 }),
        ],
        ['that vanish', 'TableVanished', 'TableVanished', () => null],
      ]

    test.each(rows)(
      '%s: refused by balancers as %s, told by the operator as %s, written again',
      async (_, refusal, event, spoilt) => {
        const before = await newEpoch()
        const now = await system.table()
        const ears = system.balancers.map(listenTo)
        // Else it mends the table before anybody has seen it.
        system.operator.freeze()
        await writeTable(spoilt(now, before))
        await untilAllReport(refusal, ({ problems }) => problems[0]?.reason === refusal)
        for (const ear of ears) await ear.heard(refusal)
        for (const entry of await entries()) expect(entry).toMatchObject({ epoch: now.epoch })
        await expectService()

        const ear = listenTo(system.operator)
        await system.operator.revive()
        await ear.heard(event)
        await untilAllReport('no problem', ({ problems }) => problems.length === 0)
        const mended = await system.table()
        expect(mended.uid).toBe(now.uid)
        expect(movesBetween(now, mended).moved).toBe(0)
      },
    )

    test('truncated in the operator’s absence: made anew with uid and epoch from balancers, nobody moves', async () => {
      const now = await system.table()
      await system.operator.stop()
      await writeTable(encodeTable(now).slice(0, 700))
      await untilAllReport('refusal', ({ problems }) => problems[0]?.reason === 'TableNotJson')
      await expectService()
      await system.operator.revive()
      await listenTo(system.operator, 0).heard('TableDamaged')
      await untilWell()
      const made = await system.table()
      expect(made.uid).toBe(now.uid)
      expect(made.epoch).toBeGreaterThan(now.epoch)
      expect(movesBetween(now, made).moved).toBe(0)
    })

    test('gone back in the operator’s absence: goes on above the epoch that balancers use', async () => {
      const before = await newEpoch()
      const now = await system.table()
      await system.operator.stop()
      await writeTable(encodeTable(before))
      await system.operator.revive()
      await untilAllReport('a later epoch', ({ epoch }) => (epoch ?? 0) > now.epoch)
      expect((await system.table()).uid).toBe(now.uid)
    })
  })

  describe('the object', () => {
    test('deleted and made again: service ends, and begins as another object', async () => {
      const now = await system.table()
      await system.directory.removeManifest(SIP_PROXY)
      await eventually('nothing is left of it', async () => {
        const [table, status] = [
          await system.directory.table(SIP_PROXY),
          await system.directory.status(SIP_PROXY),
        ]
        return table === null && status === null && (await entries()).length === 0
      })
      expect(await answerTo(phones[0]!)).toBe(408)
      await system.writeManifest()
      await untilWell()
      const made = await system.table()
      expect(made.uid).not.toBe(now.uid)
      expect(made.objectCreated > now.objectCreated).toBe(true)
    })

    test('deleted and made again at once, as some editors save: nothing happens', async () => {
      const now = await system.table()
      await system.directory.removeManifest(SIP_PROXY)
      await expectService()
      await system.writeManifest()
      await expectService()
      expect(await system.table()).toEqual(now)
    })

    test('deleted in the operator’s absence: served on until it is back, which sweeps', async () => {
      await system.operator.stop()
      await system.directory.removeManifest(SIP_PROXY)
      await expectService()
      await system.operator.revive()
      await eventually('it is swept', async () => (await entries()).length === 0)
      await system.writeManifest()
    })
  })

  describe('the disk', () => {
    test.each([
      ['full', 'ENOSPC', 'full', () => system.disk!.fill(), () => system.disk!.makeSpace()],
      [
        'read-only',
        'EROFS',
        'denied',
        () => system.disk!.makeReadOnly(),
        () => system.disk!.makeWritable(),
      ],
    ] as const)(
      '%s while a registrar dies: both say so, balancers bridge it, all is made up for',
      async (_, errno, code, spoil, mend) => {
        const now = await system.table()
        const ears = [system.operator, ...system.balancers].map((part) => listenTo(part))
        await spoil()
        await killed('registrar-1')
        await registerAll()
        await expectService()
        for (const ear of ears) expect(await ear.heard('StoreFailed')).toContain(errno)
        expect(await system.operatorMetrics()).toMatch(
          new RegExp(`store_failures_total\\{what="tableWrite",code="${code}"\\} [1-9]`),
        )
        for (const node of system.topology.balancers) {
          const metrics = await system.metrics(node)
          expect(metrics).toMatch(/store_failures_total\{store="report"\} [1-9]/)
          expect(metrics).toMatch(/proxy_marked_dead\{.*proxy="registrar-1"\} 1/)
        }
        // What was there before is whole.
        expect(await system.table()).toEqual(now)

        await mend()
        const status = await system.untilStatus(
          'made up for',
          (one) => proxyIn(one, 'registrar-1').state === 'Down' && one.table?.epoch !== now.epoch,
        )
        expect(condition(status, 'Degraded')).toBe('True/ProxiesDown')
        for (const [index, ear] of ears.entries()) {
          await ear.heard(index === 0 ? 'StoreRecovered' : 'StoreFailedMended')
        }
        await system.registrars[1]!.revive()
      },
    )
  })

  describe('keys.json', () => {
    const path = () => join(system.directory.path, 'keys.json')

    test.each([
      ['lost', () => rm(path()), 'was missing'],
      ['spoilt', () => writeFile(path(), '{"keys":[{"id":'), 'was damaged'],
    ])('%s while all run: the operator puts it back, nobody notices', async (_, spoil, why) => {
      const before = await readFile(path(), 'utf8')
      const ear = listenTo(system.operator)
      await spoil()
      expect(await ear.heard('KeysRestored')).toContain(why)
      await expectService()
      expect(await readFile(path(), 'utf8')).toBe(before)
      expect((await stat(path())).mode & 0o777).toBe(0o600)
    })

    test('missing when a balancer starts, and no operator: it waits and says so; those that run go on', async () => {
      const [first, second] = system.balancers as [Part, Part]
      await system.operator.stop()
      await rename(path(), `${path()}.away`)
      const ear = listenTo(first)
      await ear.heard('KeysMissing')
      await second.stop()
      await second.revive()
      expect(await listenTo(second, 0).heard('KeysMissing')).toContain(
        'nothing is forwarded until the operator writes it',
      )
      await untilNotReady(second, 'KeysMissing')
      await expectService([system.topology.balancers[0]!])
      await rename(`${path()}.away`, path())
      await system.untilServing()
      await expectService()
      await ear.heard('KeysMissingMended')
      await system.operator.revive()
    })

    test('missing when the operator starts: made anew, loudly; tokens of the old ones are void', async () => {
      const now = await system.table()
      await system.operator.stop()
      await rm(path())
      await system.operator.revive()
      expect(await listenTo(system.operator, 0).heard('KeysRecreated')).toContain(
        'until phones register again',
      )
      await eventually('another key signs', async () => {
        const { signingKey } = await system.table()
        return signingKey !== now.signingKey
      })
    })
  })

  describe('sockets', () => {
    test('the port taken: said where and by what, other addresses and balancers serve; free again: bound', async () => {
      const balancer = await withoutBalancer(1)
      const node = system.topology.balancers[1]!
      const taker = await takePort(node, SHARED_IPV4, 5060)
      await balancer.revive()
      const entry = await untilReports(balancer, 'PortInUse', ({ problems }) =>
        problems.some(({ reason }) => reason === 'PortInUse'),
      )
      expect(entry.addresses.map(({ state }) => state).toSorted()).toEqual(['Bound', 'PortInUse'])
      expect(await listenTo(balancer, 0).heard('PortInUse')).toContain(`${SHARED_IPV4} port 5060`)
      const status = await system.untilStatus(
        'BalancerProblems',
        (one) => condition(one, 'Degraded') === 'True/BalancerProblems',
      )
      expect(messageOf(status, 'Degraded')).toMatch(/balancer-1: .*203\.0\.113\.10 port 5060/)
      await expectService([system.topology.balancers[0]!])
      taker.free()
    })

    test('the inside port taken: the balancer is not ready and says why', async () => {
      const balancer = await withoutBalancer(1)
      const node = system.topology.balancers[1]!
      const taker = await takePort(node, node.ipv4, 5070)
      await balancer.revive()
      await untilNotReady(balancer, 'InsideNotBound')
      expect(await listenTo(balancer, 0).heard('InsideNotBound')).toContain(`${node.ipv4}:5070`)
      await expectService([system.topology.balancers[0]!])
      taker.free()
    })

    test('the address absent: said, others serve; there at last: bound', async () => {
      const balancer = await withoutBalancer(1)
      const { namespace } = system.topology.balancers[1]!
      await run('ip', ['-n', namespace, 'addr', 'del', `${SHARED_IPV4}/32`, 'dev', 'lo'])
      await balancer.revive()
      await untilReports(balancer, 'AddressAbsent', ({ addresses }) =>
        addresses.some(({ state }) => state === 'AddressAbsent'),
      )
      expect(await listenTo(balancer, 0).heard('AddressAbsent')).toContain(SHARED_IPV4)
      const status = await system.untilStatus(
        'BalancerProblems',
        (one) => condition(one, 'Degraded') === 'True/BalancerProblems',
      )
      expect(messageOf(status, 'Degraded')).toContain('AddressAbsent')
      await expectService([system.topology.balancers[0]!])
      await run('ip', ['-n', namespace, 'addr', 'add', `${SHARED_IPV4}/32`, 'dev', 'lo'])
    })
  })

  describe('the operator away all the time', () => {
    test('while one registrar dies, and every balancer is started anew without tables', async () => {
      const now = await system.table()
      const user = await system.userOf('registrar-1')
      await system.operator.kill()
      await killed('registrar-1')
      await registerAll()
      await expectService()

      await rename(tablesPath(), `${tablesPath()}.away`)
      for (const [index, balancer] of system.balancers.entries()) {
        await withoutBalancer(index)
        await balancer.revive()
        const entry = await untilReports(
          balancer,
          'the last good table',
          ({ epoch }) => epoch === now.epoch,
        )
        expect(entry.sha256).toBe(now.sha256)
        // It has to find out for itself.
        await untilAvoided('registrar-1', user)
        await expectService()
      }
      for (const entry of await entries()) {
        expect(entry.deadMarks).toMatchObject([{ id: 'registrar-1' }])
        expect(entry.problems).toMatchObject([{ reason: 'TableVanished' }])
      }

      await rename(`${tablesPath()}.away`, tablesPath())
      await system.registrars[1]!.revive()
      await untilAllReport('no dead mark', ({ deadMarks }) => deadMarks.length === 0)
      await registerAll()
      await expectService()
      expect(await system.table()).toEqual(now)
      await system.operator.revive()
    })
  })

  /** Ready, nothing degraded, all in sync, slots shared by all. */
  async function untilWell(): Promise<void> {
    const wanted = ['True/Accepted', 'True/Serving', 'False/AsExpected', 'True/InSync']
    await system.untilStatus('all is well', (status) => {
      const { conditions, proxies } = status
      const found = conditions.map(({ type }) => condition(status, type))
      return found.join() === wanted.join() && proxies.every(({ slots }) => slots >= 85)
    })
    await system.untilServing()
    await untilAllReport('no dead mark', ({ deadMarks }) => deadMarks.length === 0)
  }

  async function repair(): Promise<void> {
    await system.disk!.makeWritable()
    await system.disk!.makeSpace()
    await system.writeManifest()
    for (const part of [system.operator, ...system.registrars, ...system.balancers]) {
      if (part.state !== 'running') await part.revive()
    }
  }

  async function registerAll(): Promise<void> {
    for (const phone of phones) {
      phone.log.clear()
      expect((await phone.register()).status).toBe(200)
      expect(phone.log.retransmissions(), phone.log.toString()).toEqual([])
    }
  }

  /** Kills it; resolves when no balancer sends anybody there any more. */
  async function killed(name: string): Promise<void> {
    const user = await system.userOf(name)
    await system.registrars.find((registrar) => registrar.name === name)!.kill()
    await untilAvoided(name, user)
  }

  async function untilAvoided(name: string, user: string): Promise<void> {
    const watch = await RouteWatch.start(system.routes, [user])
    try {
      await watch.untilAvoided(name, performance.now())
    } finally {
      watch.stop()
    }
  }

  /** Through each of these balancers alone, users of all registrars reach each other at the first try. */
  async function expectService(nodes: readonly Node[] = system.topology.balancers): Promise<void> {
    for (const phone of phones) phone.log.clear()
    for (const node of nodes) {
      await system.topology.spreadOver([node])
      for (const [index, to] of phones.entries()) {
        const from = phones[(index + 1) % phones.length]!
        expect((await from.message(to.user, node.name)).status, from.log.toString()).toBe(200)
        expect((await to.messages.next()).body).toBe(node.name)
      }
    }
    await system.topology.spreadOver(nodes)
    for (const { log } of phones) expect(log.retransmissions(), log.toString()).toEqual([])
  }

  /** Another program's socket; freed at the end of the test at the latest. */
  async function takePort({ namespace }: Node, address: string, port: number) {
    const socket = await openSocket(address, port, namespace)
    let isFree = false
    const free = () => {
      if (!isFree) socket.close()
      isFree = true
    }
    onTestFinished(free)
    return { free }
  }

  async function answerTo(phone: Phone): Promise<number> {
    const caller = await system.phone('caller', { timers: { ...QUICK_TIMERS, t1Ms: 20 } })
    const { status } = await caller.request('OPTIONS', phone.user)
    caller.close()
    return status
  }

  /** Ends it; the router has noticed. */
  async function withoutBalancer(index: number): Promise<Part> {
    const others = system.topology.balancers.filter((_, other) => other !== index)
    await system.topology.spreadOver(others)
    await system.balancers[index]!.stop()
    return system.balancers[index]!
  }

  /** Publishes a table that says something new, but moves nobody; the one before. */
  async function newEpoch(): Promise<Table> {
    const before = await system.table()
    await system.writeManifest({ aliases: [`alias-${before.epoch}.test`] })
    await eventually('a new epoch', async () => (await system.table()).epoch > before.epoch)
    await system.untilServing()
    return before
  }

  function tablesPath(): string {
    return join(system.directory.path, 'tables')
  }

  async function writeTable(text: string | null): Promise<void> {
    const path = join(tablesPath(), `default.${SIP_PROXY}.json`)
    if (text === null) return await rm(path)
    await writeFile(`${path}.new`, text)
    await rename(`${path}.new`, path)
  }

  /** What the balancers say of the SipProxy; those that do not speak of it left out. */
  async function entries(): Promise<readonly BalancedSipProxy[]> {
    const found = await Promise.all(system.balancers.map(entryOf))
    return found.filter((entry) => entry !== undefined)
  }

  async function entryOf({ name }: Part): Promise<BalancedSipProxy | undefined> {
    return (await system.directory.balancer(name))?.sipProxies[0]
  }

  async function untilReports(
    balancer: Part,
    wanted: string,
    isSo: (entry: BalancedSipProxy) => boolean,
  ): Promise<BalancedSipProxy> {
    return await eventually(`${balancer.name}: ${wanted}`, async () => {
      const entry = await entryOf(balancer)
      return entry !== undefined && isSo(entry) && entry
    })
  }

  async function untilNotReady({ name }: Part, reason: string): Promise<void> {
    await eventually(`${name} not ready: ${reason}`, async () => {
      const report = await system.directory.balancer(name)
      const conditions = report?.conditions ?? []
      return conditions.some((one) => one.status === 'False' && one.reason === reason)
    })
  }

  async function untilAllReport(
    wanted: string,
    isSo: (entry: BalancedSipProxy) => boolean,
  ): Promise<void> {
    for (const balancer of system.balancers) await untilReports(balancer, wanted, isSo)
  }
})
