/**
 * The operator on Kubernetes as a program, on an API server in memory and with a real proxy to probe: what it answers
 * to kubelet, how it ends, what it says then.
 * Not here: what it decides (operator-on-kubernetes.test.ts).
 */
import { spawnSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { LoopbackBlock, type Process, startProcess } from '@sipcast/lab'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { NAMESPACE, Site, until, untilOwning } from './operator-on-kubernetes/site.ts'
import { SipResponder } from './sip-responder.ts'

const MAIN = fileURLToPath(new URL('../../operator/main.ts', import.meta.url))
const KEY = 'default/voice'

let site: Site
let folder: string
let block: LoopbackBlock
let proxy: SipResponder
let operators: Process[]

beforeEach(async () => {
  site = await Site.open()
  folder = await mkdtemp(join(tmpdir(), 'sipcast-operator-'))
  await writeFile(join(folder, 'kubeconfig'), site.server.kubeconfig)
  await writeFile(join(folder, 'pools.yaml'), '- cidr: 203.0.113.0/24\n  namespaces: [default]\n')
  block = await LoopbackBlock.claim()
  proxy = await new SipResponder(block.next()).start()
  operators = []
})

afterEach(async () => {
  for (const operator of operators) await operator.kill()
  proxy.kill()
  block.release()
  await site.close()
  await rm(folder, { recursive: true })
})

interface Started {
  readonly process: Process
  /** What an HTTP path answers: `200 ok`. */
  readonly ask: (path: string) => Promise<string>
}

async function start(identity: string, isReady: (ask: Started['ask']) => Promise<boolean>) {
  const port = await freePort()
  const ask = async (path: string) => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`)
    return `${response.status} ${(await response.text()).trim()}`
  }
  const process = await startProcess({
    name: identity,
    command: globalThis.process.execPath,
    args: [MAIN, ...options(identity), '--metrics', `127.0.0.1:${port}`],
    ready: () => until(async () => expect(await isReady(ask)).toBe(true), 10_000),
  })
  operators.push(process)
  return { process, ask }
}

function options(identity: string): readonly string[] {
  const files = [
    '--kubeconfig',
    join(folder, 'kubeconfig'),
    '--address-pools',
    join(folder, 'pools.yaml'),
  ]
  return ['--kubernetes', '--namespace', NAMESPACE, '--identity', identity, ...files]
}

const leads = async (ask: Started['ask']) => (await ask('/readyz')) === '200 ok'
const standsBy = async (ask: Started['ask']) => (await ask('/readyz')) === '200 standby'

async function serve(): Promise<void> {
  const proxies = { static: [{ name: 'a', address: proxy.address }] }
  await site.apply(KEY, { addresses: ['203.0.113.10'], proxies })
  await untilOwning(site, KEY, ['a'])
  await until(async () => expect(await site.condition(KEY, 'Accepted')).toBe('True Accepted'))
}

test('a leader serves and a standby is ready too; the leader ends in order, the other goes on at once', async () => {
  const first = await start('one', leads)
  await serve()
  const second = await start('two', standsBy)
  expect(await second.ask('/healthz')).toBe('200 ok')
  expect(await first.ask('/metrics')).toMatch(/^sipcast_operator_leader 1$/m)
  expect(await second.ask('/metrics')).toMatch(/^sipcast_operator_leader 0$/m)
  expect(await first.ask('/metrics')).toMatch(
    /^sipcast_operator_api_requests_total\{verb="apply",resource="sipproxies\/status",code="2xx"\} \d+$/m,
  )
  expect(await first.process.stop()).toEqual({ code: 0, signal: null })
  await until(async () => expect(await second.ask('/readyz')).toBe('200 ok'))
  expect(await second.ask('/metrics')).toMatch(/^sipcast_operator_leader 1$/m)
})

test('a standby ends in order too', async () => {
  await start('one', leads)
  const second = await start('two', standsBy)
  expect(await second.process.stop()).toEqual({ code: 0, signal: null })
})

test('a leader whose lease is taken away ends at once, with 1 and one line', async () => {
  const first = await start('one', leads)
  await serve()
  await start('two', standsBy)
  await site.takeLeaseAway()
  expect(await first.process.exited).toEqual({ code: 1, signal: null })
  const last = first.process.log.tail(1)
  expect(last).toContain('"event":"Deposed"')
  expect(last).toContain('another operator may lead now, this one ends')
})

test('a frozen leader that wakes up after another has begun writes nothing and ends', async () => {
  const first = await start('one', leads)
  await serve()
  const second = await start('two', standsBy)
  first.process.freeze()
  await site.takeLeaseAway()
  await until(async () => expect(await second.ask('/readyz')).toBe('200 ok'))
  await until(async () => expect((await site.table(KEY)).leaseTransitions).toBe(1))
  const text = await site.tableText(KEY)
  first.process.thaw()
  expect(await first.process.exited).toEqual({ code: 1, signal: null })
  expect(await site.tableText(KEY)).toBe(text)
})

test.each([
  ['pools.yaml', '- cidr: everywhere', 'everywhere is not a network in CIDR notation'],
  ['pools.yaml', '- {cidr: 203.0.113.0/24, namespace: voice}', 'unknown field, namespace'],
  ['pools.yaml', '203.0.113.0/24', 'it is no list of {cidr, namespaces}'],
  ['kubeconfig', 'apiVersion: v1\nkind: Config\n', 'no current context'],
])('%s with %j is refused with 1 and one line', async (file, text, words) => {
  await writeFile(join(folder, file), text)
  const run = spawnSync(process.execPath, [MAIN, ...options('one')], { encoding: 'utf8' })
  expect(run.stderr).toContain(words)
  expect(run.status).toBe(1)
  expect(run.stderr.trim().split('\n')).toHaveLength(1)
})

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}
