/**
 * The announcer's holding half on a node of its own: the real program, the real `ip`, a real balancer in
 * directory mode, tables written by hand. What the node has is read from the kernel. Not here: which addresses
 * may be held, case by case (dataplane/announcer/hold.test.ts); routers.
 */
import { execFile } from 'node:child_process'
import { mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import {
  eventually,
  LabDirectory,
  type Node,
  type Process,
  startProcess,
  Topology,
} from '@sipcast/lab'
import { encodeTable, type TableContent } from '@sipcast/mapping'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { requires } from '../requires.ts'
import { PLAIN_TABLE, START } from './plain-table.ts'

const BALANCER = fileURLToPath(new URL('../../dataplane/main.ts', import.meta.url))
const ANNOUNCER = fileURLToPath(new URL('../../dataplane/announcer/main.ts', import.meta.url))
const NAME = 'node-a'
const IPV4 = '203.0.113.10'
const IPV6 = '2001:db8:53::10'
const POOLS = ['--address-pool', '203.0.113.0/24', '--address-pool', '2001:db8:53::/64']
const LIFETIME_MS = 10_000
/** A renewal may have come just before, and the kernel looks now and then. */
const LAPSE_MS_MAX = 12_500
const run = promisify(execFile)

interface Held {
  readonly device: string
  readonly local: string
  readonly prefixlen: number
  readonly label?: string
  readonly validSeconds: number
}

describe.runIf(requires('network-namespaces', 'nftables'))('a node', () => {
  let topology: Topology
  let node: Node
  let directory: LabDirectory
  let balancer: Process | null
  let announcers: Process[]
  let epoch: number

  beforeAll(async () => {
    topology = await Topology.create({ balancers: 1, registrars: 1, homes: 0 })
    node = topology.registrars[0]!
  })

  afterAll(() => topology.close())

  beforeEach(async () => {
    directory = await LabDirectory.create()
    balancer = null
    announcers = []
    epoch = 0
    const keys = [{ id: 1, secret: '00112233445566778899aabbccddeeff', created: START }]
    await writeFile(join(directory.path, 'keys.json'), JSON.stringify({ keys }))
    await publish(IPV4, IPV6)
  })

  afterEach(async () => {
    for (const announcer of announcers) await announcer.kill()
    await balancer?.kill()
    await ip('address', 'flush', 'dev', 'lo', 'scope', 'global')
    await directory.remove()
  })

  async function publish(...addresses: readonly string[]): Promise<void> {
    epoch += 1
    const path = join(directory.path, 'tables', 'default.registrars.json')
    await mkdir(join(path, '..'), { recursive: true })
    await writeFile(`${path}.new`, encodeTable({ ...TABLE, epoch, addresses }))
    await rename(`${path}.new`, path)
  }

  async function startBalancer(): Promise<Process> {
    const words = ['--directory', directory.path, '--name', NAME, '--workers', '1']
    const inside = ['--inside', `${node.ipv4},${node.ipv6}`]
    balancer = await startProcess({
      name: NAME,
      command: process.execPath,
      args: [BALANCER, ...words, ...inside],
      namespace: node.namespace,
      ready: (started) => said(started, '"Started"'),
    })
    return balancer
  }

  async function startAnnouncer(...more: readonly string[]): Promise<Process> {
    const announcer = await startProcess({
      name: 'announcer',
      command: process.execPath,
      args: [ANNOUNCER, '--directory', directory.path, '--name', NAME, ...more],
      namespace: node.namespace,
      ready: (started) => said(started, '"Started"'),
    })
    announcers.push(announcer)
    return announcer
  }

  async function startBoth(...more: readonly string[]): Promise<readonly [Process, Process]> {
    const both = [await startBalancer(), await startAnnouncer(...more)] as const
    await untilHeld(IPV4, IPV6)
    return both
  }

  async function ip(...words: readonly string[]): Promise<string> {
    return (await run('ip', ['-n', node.namespace, ...words])).stdout
  }

  async function addresses(): Promise<readonly Held[]> {
    const links = JSON.parse(await ip('-json', 'address', 'show')) as {
      ifname: string
      addr_info: { local: string; prefixlen: number; label?: string; valid_life_time: number }[]
    }[]
    return links.flatMap(({ ifname: device, addr_info }) =>
      addr_info.map(({ valid_life_time: validSeconds, ...one }) => ({
        device,
        validSeconds,
        ...one,
      })),
    )
  }

  /** Of global scope, on the loopback interface. */
  async function onLoopback(): Promise<readonly string[]> {
    const all = await addresses()
    const local = all.filter(({ device }) => device === 'lo').map(({ local }) => local)
    return local.filter((one) => one !== '127.0.0.1' && one !== '::1').toSorted()
  }

  async function untilHeld(...wanted: readonly string[]): Promise<void> {
    const sorted = wanted.toSorted().join()
    await eventually(`${sorted} on lo`, async () => (await onLoopback()).join() === sorted)
  }

  async function waitFor(milliseconds: number, isSo: () => Promise<boolean>): Promise<number> {
    const startMs = performance.now()
    while (performance.now() - startMs < milliseconds) {
      if (await isSo()) return performance.now() - startMs
      await sleep(50)
    }
    throw new Error(`not within ${milliseconds} ms: ${JSON.stringify(await addresses())}`)
  }

  const isGone = async () => (await onLoopback()).length === 0

  async function untilBound(count: number): Promise<void> {
    await eventually(`${count} addresses bound`, async () => {
      const states = (await directory.balancer(NAME))?.sipProxies[0]?.addresses ?? []
      return states.filter(({ state }) => state === 'Bound').length === count
    })
  }

  test('holds both addresses under a lifetime and our marks, and the balancer binds them', async () => {
    await startBoth(...POOLS)
    const held = await addresses()
    const mine = held.filter(({ device, local }) => device === 'lo' && local === IPV4)
    expect(mine).toMatchObject([{ prefixlen: 32, label: 'lo:sipcast', dynamic: true }])
    expect(held.filter(({ local }) => local === IPV6)).toMatchObject([
      { device: 'lo', prefixlen: 128, nodad: true, preferred_life_time: 0 },
    ])
    await untilBound(2)
    for (let look = 0; look < 5; look++) {
      await sleep(1_000)
      for (const { device, local, validSeconds } of await addresses()) {
        if (device === 'lo' && [IPV4, IPV6].includes(local)) expect(validSeconds).toBeGreaterThan(6)
      }
    }
  })

  test('loses them when the balancer is frozen, and has them again when it is thawed', async () => {
    const [frozen] = await startBoth()
    frozen.freeze()
    const lapsedMs = await waitFor(LAPSE_MS_MAX, isGone)
    expect(lapsedMs).toBeGreaterThan(LIFETIME_MS - 2_500)
    frozen.thaw()
    await waitFor(2_000, async () => (await onLoopback()).length === 2)
    await untilBound(2)
  })

  test('loses them when balancer or announcer is killed; a successor finds and keeps them', async () => {
    const [killed, first] = await startBoth()
    await first.kill()
    await sleep(1_000)
    await startAnnouncer()
    const untilMs = performance.now() + LAPSE_MS_MAX
    while (performance.now() < untilMs) {
      expect(await onLoopback()).toHaveLength(2)
      await sleep(100)
    }
    await killed.kill()
    await waitFor(LAPSE_MS_MAX, isGone)
  })

  test('removes what is no longer wanted, and nothing that it did not add', async () => {
    await ip('address', 'add', '203.0.113.99/32', 'dev', 'lo')
    await ip('address', 'add', '2001:db8:53::99/128', 'dev', 'lo', 'nodad')
    await startBalancer()
    await startAnnouncer(...POOLS)
    await untilHeld(IPV4, IPV6, '203.0.113.99', '2001:db8:53::99')
    await publish('203.0.113.11', IPV6)
    await untilHeld('203.0.113.11', IPV6, '203.0.113.99', '2001:db8:53::99')
    const foreign = (await addresses()).filter(({ local }) => local.endsWith('99'))
    expect(foreign.map(({ validSeconds }) => validSeconds)).toEqual([4294967295, 4294967295])
  })

  test('refuses what is outside the pools or of others, and yields to them', async () => {
    await publish(IPV4, IPV6, '198.51.100.1', node.ipv4)
    const [, announcer] = await startBoth(...POOLS, '--address-pool', '198.18.0.0/15')
    await said(announcer, '"AddressOutsidePools"')
    await said(announcer, '"AddressForeign"')
    await ip('address', 'add', `${IPV4}/32`, 'dev', 'eth0')
    await untilHeld(IPV6)
    const left = (await addresses()).filter(({ local }) => local === IPV4)
    expect(left).toMatchObject([{ device: 'eth0', validSeconds: 4294967295 }])
    await ip('address', 'del', `${IPV4}/32`, 'dev', 'eth0')
    await untilHeld(IPV4, IPV6)
  })

  test('told to end together with the balancer, leaves nothing behind; alone, leaves them a while', async () => {
    const [, alone] = await startBoth()
    expect(await alone.stop()).toEqual({ code: 0, signal: null })
    expect(await onLoopback()).toHaveLength(2)
    const together = await startAnnouncer()
    const ends = await Promise.all([together.stop(), balancer!.stop()])
    expect(ends).toEqual([
      { code: 0, signal: null },
      { code: 0, signal: null },
    ])
    expect(await onLoopback()).toEqual([])
  })

  test('a second announcer waits for the end of the first', async () => {
    const [, first] = await startBoth()
    const second = startAnnouncer()
    await eventually('the second to wait', () => announcers.length === 1)
    await sleep(1_500)
    expect(announcers).toHaveLength(1)
    await first.kill()
    await second
    expect(await onLoopback()).toHaveLength(2)
  })

  test('preflight finds nothing in the way of a balancer, then finds it', async () => {
    const words = ['preflight', '--inside', `${node.ipv4},${node.ipv6}`, '--address', IPV4]
    const check = async (...more: readonly string[]) => {
      const command = [
        'netns',
        'exec',
        node.namespace,
        process.execPath,
        BALANCER,
        ...words,
        ...more,
      ]
      return await run('ip', command).then(
        ({ stdout }) => ({ code: 0, stdout }),
        ({ code, stdout }: { code: number; stdout: string }) => ({ code, stdout }),
      )
    }
    expect(await check()).toMatchObject({ code: 0, stdout: expect.not.stringMatching(/^fail/m) })
    await startBoth()
    await untilBound(2)
    expect(await check()).toMatchObject({ code: 0, stdout: expect.stringMatching('held on lo') })
    const absent = await check('--address', node.ipv4)
    expect(absent).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(/^fail .*own, on eth0$/m),
    })
    const shared = await check('--inside-source', 'Shared')
    expect(shared).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(/^fail .*accept_local/m),
    })
  })

  test('says once what `ip` refuses, and that it is not ready', async () => {
    await startBalancer()
    const announcer = await startAnnouncer('--ip', '/bin/false')
    await said(announcer, '"IpFailed"')
    await sleep(2_500)
    expect(announcer.log.tail(1_000).match(/"IpFailed"/g)).toHaveLength(1)
    expect(await onLoopback()).toEqual([])
  })
})

async function said(started: Process, words: string): Promise<void> {
  await eventually(words, () => started.log.tail(1_000).includes(words))
}

const PLACE = { address: '192.0.2.20', port: 5060, hostAddresses: [] }
const TABLE: Omit<TableContent, 'addresses' | 'epoch'> = {
  ...PLAIN_TABLE,
  members: [
    { id: 'registrar-0', name: 'registrar-0', ...PLACE, weight: 1, state: 'Up', since: START },
  ],
  slots: 64,
  owners: new Uint16Array(64),
  backups: new Uint16Array(64),
}
