/**
 * Operator and balancer as programs, with every fault of an API server between them: what happens meanwhile (a proxy
 * dies or comes back, a spec is changed) is in the last word of the balancer within 2 s of the fault's end.
 * Not here: each program alone (operator-on-kubernetes.test.ts, balancer-on-kubernetes.test.ts), the list-and-watch
 * under the same faults (test/conformance/kubernetes-api-faults.test.ts).
 */
import { writeFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { type ApiObject, paths } from '@sipcast/kube'
import {
  eventually,
  type FakeApiServer,
  type FaultEffect,
  freePort,
  type Process,
  startProcess,
} from '@sipcast/lab'
import { decodeTable, type Table } from '@sipcast/mapping'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ClusterBalancer, NAMESPACE, TABLE, timed } from './balancer-on-kubernetes-world.ts'
import { Speaker } from './lone-balancer.ts'

const OPERATOR = fileURLToPath(new URL('../../operator/main.ts', import.meta.url))
const SIP_PROXY = paths.sipProxy('default', 'registrars')
const PORT = 5060
const CATCH_UP_MS = 2_000
/** With all of the machine's other work. */
const SLACK_MS = 1_000
const ORDINARY_MS = 1_500
/** Longer than a silent watch is trusted (10 s), and without the lease: its holder would rightly end. */
const HALF_OPEN_MS = 12_500
const HALF_OPEN = ['configmaps', 'sipproxies', 'sipbalancers', 'pods', 'secrets', 'version']

interface Misfortune {
  readonly begin: (server: FakeApiServer) => () => void | Promise<void>
  readonly lastsMs?: number
}

const misfortunes: Readonly<Record<string, Misfortune>> = {
  'connections are reset': {
    begin: (server) => during(server, { kind: 'reset' }),
  },
  'connections are closed': {
    begin: (server) => {
      server.eachWatch((feed) => feed.endCleanly())
      return server.inject({ effect: { kind: 'hangUp' } })
    },
  },
  'watches end cleanly, again and again': {
    begin: (server) => {
      const timer = setInterval(() => server.eachWatch((feed) => feed.endCleanly()), 100)
      return () => clearInterval(timer)
    },
  },
  'history is forgotten': {
    begin: (server) => {
      server.expire()
      return server.inject({ effect: { kind: 'refusal', status: 410 }, verbs: ['list', 'watch'] })
    },
  },
  'everything is an internal error': {
    begin: (server) => during(server, { kind: 'refusal', status: 500 }),
  },
  'everything is throttled': {
    begin: (server) => during(server, { kind: 'refusal', status: 429, retryAfterSeconds: 1 }),
  },
  'every write meets a conflict': {
    begin: (server) =>
      server.inject({
        effect: { kind: 'refusal', status: 409, reason: 'Conflict' },
        verbs: ['replace', 'apply', 'patch', 'create'],
      }),
  },
  'everything is slow': {
    begin: (server) => during(server, { kind: 'delay', ms: 1_200 }),
  },
  'lists are stale': {
    begin: (server) => {
      const end = server.inject({ effect: { kind: 'staleLists' }, verbs: ['list'] })
      const timer = setTimeout(() => server.expire(), ORDINARY_MS / 3)
      return () => {
        clearTimeout(timer)
        end()
      }
    },
  },
  'connections stand, and nothing comes over them': {
    begin: (server) => {
      for (const resource of HALF_OPEN) server.eachWatch((feed) => feed.silence(), resource)
      const effect = { kind: 'silence' } as const
      const ends = HALF_OPEN.map((resource) => server.inject({ effect, resource }))
      return () => {
        for (const end of ends) end()
      }
    },
    lastsMs: HALF_OPEN_MS,
  },
  'nobody listens': {
    begin: (server) => {
      const gone = server.goAway()
      return async () => {
        await gone
        await server.comeBack()
      }
    },
  },
}

let cluster: ClusterBalancer
let operator: Process
let changes = 0
let isDown = false

beforeAll(async () => {
  cluster = await ClusterBalancer.create()
  cluster.server.take(TABLE)
  cluster.server.put(SIP_PROXY, sipProxy())
  operator = await startOperator()
  await cluster.startWithSecret()
  await caughtUp()
})

afterAll(async () => {
  cluster.server.faults.clear()
  await operator?.kill()
  await cluster?.stop()
})

test.each(Object.entries(misfortunes))('%s', async (_, { begin, lastsMs = ORDINARY_MS }) => {
  const before = table()!
  const end = begin(cluster.server)
  await sleep(lastsMs / 2)
  await toggleProxy()
  await sleep(lastsMs / 2)
  changeSpec()
  await end()
  expect(await caughtUp()).toBeLessThan(CATCH_UP_MS + SLACK_MS)
  expect(table()!.epoch).toBeGreaterThan(before.epoch)
  expect(operator.log.tail(1_000)).not.toContain('"event":"Deposed"')
  // And still follows.
  changeSpec()
  expect(await caughtUp()).toBeLessThan(SLACK_MS)
})

async function startOperator(): Promise<Process> {
  const pools = cluster.fileOf('pools.yaml')
  await writeFile(pools, '- cidr: 127.0.0.0/8\n')
  const metrics = `127.0.0.1:${await freePort('127.0.0.1')}`
  const place = ['--kubernetes', '--kubeconfig', cluster.fileOf('kubeconfig')]
  const names = ['--namespace', NAMESPACE, '--identity', 'operator']
  return await startProcess({
    name: 'operator',
    command: process.execPath,
    args: [OPERATOR, ...place, ...names, '--address-pools', pools, '--metrics', metrics],
    ready: async () => {
      await eventually('a table', () => table() !== null)
    },
  })
}

/** How long it took until the balancer told of a table that says all that is so. */
async function caughtUp(): Promise<number> {
  return await timed('a table that is up to date, in use and told', () => {
    const latest = table()
    const told = cluster.report()?.sipProxies.find(({ name }) => name === 'registrars')
    return latest !== null && isUpToDate(latest) && told?.sha256 === latest.sha256
  })
}

function isUpToDate({ domains, members }: Table): boolean {
  const wanted = isDown ? ['Down', 'Up'] : ['Up', 'Up']
  return domains[0] === domain() && members.map(({ state }) => state).join() === wanted.join()
}

function table(): Table | null {
  const [configMap] = cluster.server.objects(paths.configMaps(NAMESPACE))
  const { 'table.json': text = '' } = (configMap?.['data'] ?? {}) as Record<string, string>
  const decoded = decodeTable(text)
  return decoded.ok ? decoded.table : null
}

async function toggleProxy(): Promise<void> {
  const { proxies, proxyAddresses } = cluster.lone
  if (isDown) proxies.unshift(await Speaker.open(proxyAddresses[0]!, PORT, true))
  else proxies.shift()!.close()
  isDown = !isDown
}

/** Past every fault: as somebody else's request that came through. */
function changeSpec(): void {
  changes += 1
  const [found] = cluster.server.objects(paths.sipProxies('default'))
  const generation = (found?.metadata.generation ?? 1) + 1
  const next = { ...found, ...sipProxy() }
  cluster.server.put(SIP_PROXY, { ...next, metadata: { ...found!.metadata, generation } })
}

function domain(): string {
  return `${changes}.example.com`
}

function sipProxy(): ApiObject {
  const { shared, proxyAddresses } = cluster.lone
  const proxies = proxyAddresses.map((address, index) => ({ name: `registrar-${index}`, address }))
  return {
    apiVersion: 'sipcast.io/v1alpha1',
    kind: 'SipProxy',
    metadata: { namespace: 'default', name: 'registrars' },
    spec: {
      addresses: [shared],
      domains: [domain()],
      probe: { interval: '100ms', timeout: '80ms', fall: 5 },
      mapping: { slots: 64 },
      proxies: { static: proxies },
    },
  }
}

/** Open watches are reset, and new requests meet the effect. */
function during(server: FakeApiServer, effect: FaultEffect): () => void {
  const end = server.inject({ effect })
  server.eachWatch((feed) => feed.reset())
  return end
}
