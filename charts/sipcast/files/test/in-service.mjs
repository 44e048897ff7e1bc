/**
 * `helm test`: whether the operator's replicas are ready and every node's balancer serves, by what the API says.
 * Runs in the product's own image (cwd is its folder), hence plain JavaScript by way of `node -e`. Not here: calls,
 * proxies and routers; SipProxies that are not Ready are told, as BGP sessions are, and are no failure of the
 * installation.
 */
import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import { ApiServer, inClusterAccess, paths } from '@sipcast/kube'

const PATIENCE_MS = 60_000
const LOOK_EVERY_MS = 1_000
const HEARTBEAT_AGE_MAX_MS = 90_000

const namespace = process.env['NAMESPACE']
const api = new ApiServer({ access: await inClusterAccess(), userAgent: 'sipcast-test' })
const endsAtMs = performance.now() + PATIENCE_MS
let missing = await whatIsMissing()
while (missing.length > 0 && performance.now() < endsAtMs) {
  await sleep(LOOK_EVERY_MS)
  missing = await whatIsMissing()
}
const verdict = missing.length === 0 ? 'in service' : 'not in service'
process.stdout.write(
  [...(await sipProxies()), ...(await bgpPeers()), ...missing, verdict, ''].join('\n'),
)
api.close()
process.exitCode = missing.length === 0 ? 0 : 1

async function whatIsMissing() {
  const apps = `/apis/apps/v1/namespaces/${namespace}`
  const operator = await api.get(`${apps}/deployments/sipcast-operator`)
  const { readyReplicas = 0, replicas = 0 } = operator?.status ?? {}
  const balancer = await api.get(`${apps}/daemonsets/sipcast-balancer`)
  const { numberReady = 0, desiredNumberScheduled: nodes = 0 } = balancer?.status ?? {}
  const { items } = await api.list(paths.sipBalancers())
  const serving = items.filter(isServing).length
  return [
    readyReplicas === replicas && replicas > 0
      ? ''
      : `operator: ${readyReplicas}/${replicas} ready`,
    numberReady === nodes && nodes > 0 ? '' : `balancers: ${numberReady}/${nodes} ready`,
    serving >= nodes ? '' : `SipBalancers: ${serving} serving, on ${nodes} nodes`,
  ].filter((line) => line !== '')
}

function isServing({ status }) {
  const ageMs = Date.now() - Date.parse(status?.heartbeatAt ?? '')
  return ageMs < HEARTBEAT_AGE_MAX_MS && conditionOf(status, 'Ready')?.status === 'True'
}

async function sipProxies() {
  const { items } = await api.list(paths.sipProxies())
  return items.map(({ metadata, status }) => {
    const { status: isReady = 'Unknown', reason = '' } = conditionOf(status, 'Ready') ?? {}
    return `SipProxy ${metadata.namespace}/${metadata.name}: Ready ${isReady} ${reason}`
  })
}

async function bgpPeers() {
  const { items } = await api.list('/apis/sipcast.io/v1alpha1/bgppeers')
  return items.map(({ metadata, status }) => {
    return `BgpPeer ${metadata.name}: ${status?.summary?.sessions ?? 'unknown'} sessions`
  })
}

function conditionOf(status, type) {
  return status?.conditions?.find((condition) => condition.type === type)
}
