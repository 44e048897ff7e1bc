/**
 * The operator as a program, with small SIP responders for proxies and reports written by hand for balancers:
 * what table, status, log and exit code say. Not here: calls (the other suites of this folder), every branch of
 * every rule (operator/*.test.ts).
 */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { SipProxyStatus } from '@sipcast/crds'
import { eventually, LabDirectory, LoopbackBlock, type Process, startProcess } from '@sipcast/lab'
import type { Table } from '@sipcast/mapping'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { requires } from '../requires.ts'
import { Manner, SipResponder } from './sip-responder.ts'

const MAIN = fileURLToPath(new URL('../../operator/main.ts', import.meta.url))
const NAME = 'voice'
/** Defaults, but for a hand-back that does not take minutes. */
const HAND_BACK = { after: '1s', per: '1s', maxMovedPercent: 30 }
const SCHEDULING_MS = 250

let directory: LabDirectory
let block: LoopbackBlock
let shared: string
let proxies: SipResponder[]
let operator: Process | null

beforeEach(async () => {
  directory = await LabDirectory.create()
  block = await LoopbackBlock.claim()
  shared = block.next()
  proxies = []
  operator = null
})

afterEach(async () => {
  await operator?.kill()
  for (const proxy of proxies) proxy.kill()
  block.release()
  await directory.remove()
})

async function startOperator(...more: string[]): Promise<Process> {
  operator = await startProcess({
    name: 'operator',
    command: process.execPath,
    args: [MAIN, '--directory', directory.path, ...more],
    ready: async (started) => {
      await eventually('Started', () => started.log.tail(1_000).includes('"Started"'))
    },
  })
  return operator
}

async function addProxy(address = block.next(), port = 5060): Promise<SipResponder> {
  const proxy = await new SipResponder(address, port).start()
  proxies.push(proxy)
  return proxy
}

/** a, b, c…, and what is said of each. */
function entries(list: readonly SipResponder[], more: Readonly<Record<string, object>> = {}) {
  return list.map(({ address, port }, index) => {
    const name = 'abcdefgh'[index] ?? ''
    return { name, address, port, ...more[name] }
  })
}

async function apply(list: readonly object[], more: object = {}): Promise<void> {
  await directory.writeManifest(NAME, {
    addresses: [shared],
    mapping: { handBack: HAND_BACK },
    proxies: { static: list },
    ...more,
  })
}

/** Three proxies, an operator, and its first table. */
async function begin(count = 3, more: object = {}): Promise<Table> {
  for (let i = 0; i < count; i++) await addProxy()
  await apply(entries(proxies), more)
  await startOperator()
  return await tableThat('is the first', () => true)
}

async function tableThat(
  what: string,
  holds: (table: Table) => boolean,
  waitMs = 10_000,
): Promise<Table> {
  return await eventually(
    `a table that ${what}`,
    async () => {
      const table = await directory.table(NAME)
      return table !== null && holds(table) ? table : null
    },
    waitMs,
  )
}

async function statusThat(what: string, holds: (status: SipProxyStatus) => boolean) {
  return await eventually(`a status that ${what}`, async () => {
    const status = await directory.status(NAME)
    return status !== null && holds(status) ? status : null
  })
}

function slotsOf({ members, owners }: Table, id: string): number {
  const index = members.findIndex((member) => member.id === id)
  return owners.filter((owner) => owner === index).length
}

function ownersOf({ members, owners }: Table): readonly (string | undefined)[] {
  return Array.from(owners, (owner) => members[owner]?.id)
}

function condition(status: SipProxyStatus, type: string): string {
  const found = status.conditions.find((one) => one.type === type)
  return `${found?.status} ${found?.reason}`
}

function messageOf(status: SipProxyStatus, type: string): string {
  return status.conditions.find((one) => one.type === type)?.message ?? ''
}

/** As a balancer would that uses this table. */
async function report(name: string, table: Table, more: object = {}): Promise<void> {
  const { uid, epoch, sha256, namespace } = table
  const addresses = [{ address: table.addresses[0], port: table.port, state: 'Bound' }]
  const sipProxies = [{ namespace, name: NAME, uid, epoch, sha256, addresses, ...more }]
  const heartbeatAt = new Date().toISOString()
  const text = JSON.stringify({ heartbeatAt, version: '0', sipProxies, acceptedKeyIds: [1] })
  const path = join(directory.path, 'balancers', `${name}.json`)
  await writeFile(`${path}.new`, text)
  await rename(`${path}.new`, path)
}

function log(): string {
  return operator?.log.tail(10_000) ?? ''
}

const tablePath = () => join(directory.path, 'tables', `default.${NAME}.json`)

describe('proxies come, go and freeze', () => {
  test('the first table is there with the first answers', async () => {
    for (let i = 0; i < 3; i++) await addProxy()
    await startOperator()
    const began = performance.now()
    await apply(entries(proxies))
    const table = await tableThat('is the first', () => true)
    expect(performance.now() - began).toBeLessThan(1_000)
    expect(['a', 'b', 'c'].map((id) => slotsOf(table, id)).toSorted((x, y) => x - y)).toEqual([
      1365, 1365, 1366,
    ])
    const status = await statusThat('knows it', ({ table: known }) => known?.epoch === table.epoch)
    expect(condition(status, 'Accepted')).toBe('True Accepted')
    expect(status.summary.proxies).toBe('3/3')
  })

  test('killed: out of the table within 0.7 s, and nobody else is moved', async () => {
    const before = ownersOf(await begin())
    await sleep(700)
    const began = performance.now()
    proxies[1]?.kill()
    const table = await tableThat('has nothing for b', (one) => slotsOf(one, 'b') === 0)
    expect(performance.now() - began).toBeLessThan(700)
    const moved = before.filter((id, slot) => id !== ownersOf(table)[slot])
    expect(new Set(moved)).toEqual(new Set(['b']))
  })

  test('frozen: out of the table within interval·fall + timeout', async () => {
    await begin()
    await sleep(700)
    const began = performance.now()
    if (proxies[1] !== undefined) proxies[1].manner = Manner.silent
    await tableThat('has nothing for b', (one) => slotsOf(one, 'b') === 0)
    expect(performance.now() - began).toBeLessThan(500 * 2 + 400 + SCHEDULING_MS)
    const status = await statusThat('says Down', (one) => one.proxies[1]?.state === 'Down')
    expect(status.proxies[1]?.reason).toBe('NoAnswer')
    expect(condition(status, 'Degraded')).toBe('True ProxiesDown')
  })

  test('returned: back after the wait, in steps within the budget', async () => {
    await begin(2)
    proxies[1]?.kill()
    await tableThat('has nothing for b', (one) => slotsOf(one, 'b') === 0)
    await proxies[1]?.start()
    await tableThat('says Up', (one) => one.members[1]?.state === 'Up')
    const up = performance.now()
    const first = await tableThat('has something for b', (one) => slotsOf(one, 'b') > 0)
    expect(performance.now() - up).toBeGreaterThan(900)
    expect(slotsOf(first, 'b')).toBe(Math.floor(4096 * 0.3))
    const last = await tableThat('has half for b', (one) => slotsOf(one, 'b') === 2048)
    expect(last.epoch).toBe(first.epoch + 1)
  })

  test('added, given weight, moved to another address, removed', async () => {
    await begin(2)
    // What an operator finds at its start is no young pool, whose proxies all join at once.
    await operator?.stop()
    await startOperator()
    const [a, b, c] = [proxies[0], proxies[1], await addProxy()] as SipResponder[]
    if (a === undefined || b === undefined || c === undefined) throw new Error('three proxies')
    await apply(entries([a, b, c]))
    const added = await tableThat('has something for c', (one) => slotsOf(one, 'c') > 0)
    expect(slotsOf(added, 'c')).toBe(Math.floor(4096 * 0.3))
    await tableThat('has a third for c', (one) => slotsOf(one, 'c') >= 1365)

    await apply(entries([a, b, c], { c: { weight: 2 } }))
    const weighted = await tableThat('has half for c', (one) => slotsOf(one, 'c') === 2048)

    const moved = await addProxy()
    await apply(entries([a, b, moved], { c: { weight: 2 } }))
    const former = await tableThat('has a former address', (one) => one.former.length === 1)
    expect(former.former[0]).toMatchObject({ address: c.address, port: 5060 })
    expect(ownersOf(former)).toEqual(ownersOf(weighted))

    await apply(entries([a, b]))
    const removed = await tableThat('has two members', (one) => one.members.length === 2)
    expect(slotsOf(removed, 'a') + slotsOf(removed, 'b')).toBe(4096)
    expect(removed.former).toHaveLength(2)
  })

  test('drained by a person in steps, by itself with 503 at once', async () => {
    await begin()
    await apply(entries(proxies, { b: { drain: true } }))
    const step = await tableThat('drains b', (one) => slotsOf(one, 'b') < 1365)
    expect(step.members[1]?.state).toBe('Draining')
    expect(slotsOf(step, 'b')).toBeGreaterThan(0)
    await tableThat('has drained b', (one) => slotsOf(one, 'b') === 0)
    if (proxies[2] !== undefined) proxies[2].manner = Manner.refusesWork
    const busy = await tableThat('has nothing for c', (one) => slotsOf(one, 'c') === 0)
    expect(busy.members[2]?.state).toBe('Draining')
  })

  test('all down: the last table stays, Degraded says so, and the first to return gets all', async () => {
    await begin(2)
    proxies[1]?.kill()
    const last = await tableThat('has all for a', (one) => slotsOf(one, 'a') === 4096)
    proxies[0]?.kill()
    const status = await statusThat('says so', (one) =>
      condition(one, 'Degraded').includes('AllProxiesDown'),
    )
    expect(condition(status, 'Ready')).toBe('False NoEligibleProxy')
    expect((await directory.table(NAME))?.epoch).toBe(last.epoch)
    await proxies[1]?.start()
    await tableThat('has all for b', (one) => slotsOf(one, 'b') === 4096)
  })

  test('silent all at once: the panic guard keeps the table until balancers confirm it', async () => {
    const first = await begin()
    for (const proxy of proxies.slice(0, 2)) proxy.manner = Manner.silent
    await statusThat('panics', (one) => condition(one, 'Degraded') === 'True ProbePanic')
    expect((await directory.table(NAME))?.epoch).toBe(first.epoch)
    await report('node-1', first, { unanswered: ['a', 'b'] })
    await tableThat('has all for c', (one) => slotsOf(one, 'c') === 4096)
  })

  test('marked dead by a balancer: asked at once', async () => {
    const table = await begin(3, { probe: { interval: '30s' } })
    proxies[1]?.kill()
    await report('node-1', table, { deadMarks: [{ id: 'b', since: new Date().toISOString() }] })
    await tableThat('has nothing for b', (one) => slotsOf(one, 'b') === 0, 2_000)
  })

  describe.runIf(requires('ipv6'))('at IPv6 addresses', () => {
    test('killed and found as with IPv4', async () => {
      await addProxy('::1', 15_060)
      await addProxy('::1', 15_061)
      await apply(entries(proxies))
      await startOperator()
      await tableThat('is the first', (one) => slotsOf(one, 'b') === 2048)
      proxies[1]?.kill()
      await tableThat('has nothing for b', (one) => slotsOf(one, 'b') === 0, 1_000)
    })
  })
})

describe('people change manifests', () => {
  test('broken: the last good spec stays in force and alive; mended: it goes on', async () => {
    const first = await begin()
    await apply([{ name: 'a', address: 'registrar.example.com' }])
    const status = await statusThat('refuses', (one) =>
      condition(one, 'Accepted').includes('False'),
    )
    expect(condition(status, 'Accepted')).toBe('False InvalidSpec')
    expect(messageOf(status, 'Accepted')).toContain(
      'spec.proxies.static[0].address: must be an IPv4 or IPv6 address, is "registrar.example.com"',
    )
    await directory.writeRawManifest(NAME, 'kind: SipProxy\nmetadata: {name: voice}\n\tspec: {}\n')
    const broken = await statusThat('says unreadable', (one) =>
      condition(one, 'Accepted').includes('ManifestUnreadable'),
    )
    expect(messageOf(broken, 'Accepted')).toMatch(/^voice\.yaml: .* at line 3, column 1/)

    proxies[1]?.kill()
    const table = await tableThat('has nothing for b', (one) => slotsOf(one, 'b') === 0)
    expect(table.generation).toBe(first.generation)
    await apply(entries(proxies.slice(0, 1)))
    await tableThat('has one member', ({ members }) => members.length === 1)
    await statusThat('accepts', (one) => condition(one, 'Accepted') === 'True Accepted')
  })

  test('removed: the table says so until balancers applied it; made again: a new object', async () => {
    const first = await begin(2)
    await report('node-1', first)
    await statusThat('is Ready', (one) => condition(one, 'Ready') === 'True Serving')
    await directory.removeManifest(NAME)
    const removed = await tableThat('is removed', (one) => one.removed)
    await apply(entries(proxies))
    const again = await tableThat('is not removed', (one) => !one.removed)
    expect(again.uid).not.toBe(first.uid)
    expect(again.objectCreated > first.objectCreated).toBe(true)
    expect(again.epoch).toBeGreaterThan(removed.epoch)

    await directory.removeManifest(NAME)
    const last = await tableThat('is removed again', (one) => one.removed)
    await report('node-1', last)
    await eventually('nothing is left', () => !existsSync(tablePath()))
    await eventually('no status is left', async () => (await directory.status(NAME)) === null)
  })

  test('two at one address and port: the first seen keeps it', async () => {
    await begin(1)
    await directory.writeManifest('another', {
      addresses: [shared],
      proxies: { static: entries(proxies) },
    })
    const status = await eventually('a status', async () => await directory.status('another'))
    expect(condition(status, 'Accepted')).toBe('False AddressConflict')
    await directory.removeManifest(NAME)
    await eventually('it is served', async () => await directory.table('another'))
  })

  test('the slot count stays as it is', async () => {
    await begin(1)
    await apply(entries(proxies), { mapping: { slots: 1024 } })
    const status = await statusThat('refuses', (one) =>
      condition(one, 'Accepted').includes('False'),
    )
    expect(condition(status, 'Accepted')).toBe('False SlotsImmutable')
    expect((await directory.table(NAME))?.slots).toBe(4096)
  })
})

describe('the operator itself comes and goes', () => {
  test('ended in order and started again: no epoch, no move', async () => {
    const first = await begin()
    expect(await operator?.stop()).toEqual({ code: 0, signal: null })
    expect(log()).toContain('"Stopped"')
    await startOperator()
    await sleep(1_500)
    expect(await directory.table(NAME)).toEqual(first)
  })

  test('killed, and a proxy dies in its absence: found after the start', async () => {
    await begin()
    await operator?.kill()
    proxies[1]?.kill()
    await startOperator()
    const table = await tableThat('has nothing for b', (one) => slotsOf(one, 'b') === 0, 2_000)
    expect(slotsOf(table, 'a') + slotsOf(table, 'c')).toBe(4096)
  })

  test.each([
    [['--directory'], 2, '--directory'],
    [[], 2, '--directory DIR is missing'],
    [['--directory', '/nowhere/at/all'], 1, 'is no directory'],
    [['--directory', '.', '--metrics', 'nowhere'], 2, 'is not HOST:PORT'],
  ])('%j ends with %d and one line', (args, code, words) => {
    const run = spawnSync(process.execPath, [MAIN, ...args], { encoding: 'utf8' })
    expect(run.status).toBe(code)
    expect(run.stderr).toContain(words)
    expect(run.stderr.trim().split('\n')).toHaveLength(1)
  })

  test('a second operator on one directory is refused', async () => {
    await startOperator()
    const args = [MAIN, '--directory', directory.path]
    const second = spawnSync(process.execPath, args, { encoding: 'utf8' })
    expect(second.status).toBe(1)
    expect(second.stderr).toContain('already served by another operator')
  })

  test('metrics, health and readiness', async () => {
    const address = block.next()
    await addProxy()
    await apply(entries(proxies))
    await startOperator('--metrics', `${address}:9099`)
    await tableThat('is the first', () => true)
    const page = async (path: string) => await fetch(`http://${address}:9099${path}`)
    expect(await (await page('/readyz')).text()).toBe('ok\n')
    expect((await page('/healthz')).status).toBe(200)
    const metrics = await (await page('/metrics')).text()
    expect(metrics).toContain('sipcast_operator_probes_total{outcome="accepted"}')
    expect(metrics).toMatch(/sipcast_operator_proxy_state\{.*proxy="a",state="Up"\} 1/)
    const args = [MAIN, '--directory', '/tmp', '--metrics', `${address}:9099`]
    expect(spawnSync(process.execPath, args, { encoding: 'utf8' }).status).toBe(1)
  })
})

describe('files are lost, spoilt, or cannot be written', () => {
  test.each([
    ['truncated', async () => await writeFile(tablePath(), '{"schema":1,')],
    ['edited', async () => await edit(tablePath(), '"panicPercent":50', '"panicPercent":90')],
    ['deleted', async () => await rm(tablePath())],
  ])('a table that was %s is put back as it was', async (_how, spoil) => {
    const first = await begin()
    await spoil()
    expect(await tableThat('is whole', () => true, 2_000)).toEqual(first)
  })

  test('a table edited in the operator’s absence moves nobody; a lost one goes on from the epoch in status', async () => {
    const first = await begin()
    await operator?.stop()
    await edit(tablePath(), '"panicPercent":50', '"panicPercent":90')
    await startOperator()
    const next = await tableThat('is whole', () => true)
    expect(next).toMatchObject({ uid: first.uid, epoch: first.epoch + 1, panicPercent: 50 })
    expect(ownersOf(next)).toEqual(ownersOf(first))

    await statusThat('knows it', ({ table }) => table?.epoch === next.epoch)
    await operator?.stop()
    await rm(tablePath())
    await startOperator()
    const made = await tableThat('is made anew', () => true)
    expect(made.epoch).toBeGreaterThan(next.epoch)
    expect(made.epoch).toBeLessThan(next.epoch + 10)
  })

  test('keys.json is there for its owner only, is put back when lost, and made anew loudly after a start', async () => {
    await begin(1)
    const path = join(directory.path, 'keys.json')
    const before = await readFile(path, 'utf8')
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    await rm(path)
    await eventually('it is back', () => existsSync(path))
    expect(await readFile(path, 'utf8')).toBe(before)

    await operator?.stop()
    await rm(path)
    await startOperator()
    await tableThat('names another key', ({ signingKey }) => signingKey === 2)
    expect(log()).toContain('KeysRecreated')
    expect(await readFile(path, 'utf8')).not.toBe(before)
  })

  test('tables cannot be written: clear words, the rest goes on, and it is made up for', async () => {
    const first = await begin()
    const tables = join(directory.path, 'tables')
    // It would make the folder anew in between.
    operator?.freeze()
    await rename(tables, `${tables}.away`)
    await symlink('/sys', tables)
    operator?.thaw()
    proxies[1]?.kill()
    const status = await statusThat(
      'says so, and knows that b is down',
      (one) =>
        condition(one, 'Degraded').includes('TableNotWritten') && one.proxies[1]?.state === 'Down',
    )
    expect(messageOf(status, 'Degraded')).toContain(`Epoch ${first.epoch} stays in use`)
    await rm(tables)
    await rename(`${tables}.away`, tables)
    await tableThat('has nothing for b', (one) => slotsOf(one, 'b') === 0, 35_000)
  })

  describe.runIf(requires('mounts'))('on a disk of its own', () => {
    test('full: clear words, the last table stays whole, and it is made up for', async () => {
      for (let i = 0; i < 3; i++) await addProxy()
      await apply(entries(proxies))
      const tables = join(directory.path, 'tables')
      await mkdir(tables)
      const mount = `mount -t tmpfs -o size=60k tmpfs ${tables}`
      const fill = `head -c 20k /dev/zero >${tables}/other`
      const run = `exec ${process.execPath} ${MAIN} --directory ${directory.path}`
      operator = await startProcess({
        name: 'operator',
        command: 'unshare',
        args: ['--mount', 'sh', '-c', `${mount} && ${fill} && ${run}`],
      })
      await statusThat('has a table', ({ table }) => table !== null)
      proxies[1]?.kill()
      const status = await statusThat('says so', (one) =>
        condition(one, 'Degraded').includes('TableNotWritten'),
      )
      expect(messageOf(status, 'Degraded')).toContain('ENOSPC')
      await rm(`/proc/${operator.pid}/root${tables}/other`)
      await statusThat('has made up for it', (one) => one.proxies[1]?.slots === 0)
    })
  })
})

async function edit(path: string, from: string, to: string): Promise<void> {
  await writeFile(path, (await readFile(path, 'utf8')).replace(from, to))
}
