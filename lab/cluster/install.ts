/**
 * The product in the cluster, as its users install it: one Helm chart, then the example's manifests. Waits for both,
 * and says why where they do not become ready. Not here: the cluster and the images.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { EXAMPLE } from './example.ts'
import type { Kubectl } from './kubectl.ts'
import { run } from './program.ts'
import { type Pod, isReady, troublesIn } from './troubles.ts'

export const NAMESPACE = 'sipcast-system'
const RELEASE = 'sipcast'

const CHART = fileURLToPath(new URL('../../charts/sipcast', import.meta.url))
const VALUES = fileURLToPath(new URL('values.yaml', import.meta.url))
const MANIFESTS = fileURLToPath(new URL('../../examples/kamailio', import.meta.url))
const READY_TIMEOUT_MS = 180_000
const LOOK_EVERY_MS = 500

export interface InstallOptions {
  readonly kubectl: Kubectl
  /** Of the product's images. */
  readonly tag: string
  /** Laid over this cluster's values: `balancer.insideSource=Shared`. */
  readonly set?: readonly string[]
  /** Laid over them before those. */
  readonly values?: object
}

/** Installs it, or upgrades what is there; resolves when every pod of it is ready. */
export async function install(options: InstallOptions): Promise<void> {
  const { kubectl, tag, set = [], values = {} } = options
  await kubectl.apply(namespace())
  const release = ['upgrade', '--install', RELEASE, CHART, '--namespace', NAMESPACE]
  const files = ['--values', VALUES, '--values', '-']
  const sets = ['--set-string', `image.tag=${tag}`, ...set.flatMap((one) => ['--set', one])]
  const input = JSON.stringify(values)
  await run('helm', [...kubectl.forHelm, ...release, ...files, ...sets], { input })
  await untilReady(kubectl, NAMESPACE)
}

/** The example's SipProxy and proxies; resolves when it is served by all balancers. */
export async function applyExample(kubectl: Kubectl): Promise<void> {
  await kubectl.run('apply', '-n', EXAMPLE.namespace, '-k', MANIFESTS)
  await untilReady(kubectl, EXAMPLE.namespace)
  await untilServed(kubectl, EXAMPLE.namespace, EXAMPLE.sipProxy)
}

/** All rollouts are complete and all pods ready. @throws with the pods' own words */
export async function untilReady(kubectl: Kubectl, namespace: string): Promise<void> {
  await within(
    READY_TIMEOUT_MS,
    () => areReady(kubectl, namespace),
    async () => `not ready in namespace ${namespace}:\n${await troublesIn(kubectl, namespace)}`,
  )
}

/** The SipProxy says Ready, with all that is to serve it serving. @throws with its conditions */
export async function untilServed(
  kubectl: Kubectl,
  namespace: string,
  name: string,
): Promise<void> {
  const get = ['get', 'sipproxy', name, '-n', namespace]
  await within(
    READY_TIMEOUT_MS,
    async () => isServed(await kubectl.json<SipProxy>(...get)),
    async () => {
      const said = await kubectl.run('describe', 'sipproxy', name, '-n', namespace)
      return `SipProxy ${namespace}/${name} is not Ready:\n${said}\n${await troublesIn(kubectl, NAMESPACE)}`
    },
  )
}

interface SipProxy {
  readonly metadata: { readonly generation: number }
  readonly status?: {
    readonly conditions?: readonly {
      readonly type: string
      readonly status: string
      readonly observedGeneration?: number
    }[]
    readonly summary?: { readonly proxies: string; readonly balancers: string }
  }
}

function isServed({ metadata, status }: SipProxy): boolean {
  const ready = status?.conditions?.find(({ type }) => type === 'Ready')
  const isWhole = (share = '') => /^([1-9]\d*)\/\1$/.test(share)
  return (
    ready?.status === 'True' &&
    ready.observedGeneration === metadata.generation &&
    isWhole(status?.summary?.proxies) &&
    isWhole(status?.summary?.balancers)
  )
}

interface Workload {
  readonly metadata: { readonly generation: number }
  readonly status: {
    readonly observedGeneration?: number
    readonly desiredNumberScheduled?: number
    readonly updatedNumberScheduled?: number
    readonly updatedReplicas?: number
    readonly replicas?: number
  }
  readonly spec: { readonly replicas?: number }
}

async function areReady(kubectl: Kubectl, namespace: string): Promise<boolean> {
  const kinds = 'deployments,daemonsets,statefulsets'
  const workloads = await kubectl.list<Workload>(kinds, '-n', namespace)
  const pods = await kubectl.list<Pod>('pods', '-n', namespace)
  const counted = pods.filter(({ status }) => status.phase !== 'Succeeded')
  return workloads.length > 0 && workloads.every(isRolledOut) && counted.every(isReady)
}

function isRolledOut({ metadata, spec, status }: Workload): boolean {
  const wanted = status.desiredNumberScheduled ?? spec.replicas ?? 0
  const updated = status.updatedNumberScheduled ?? status.updatedReplicas ?? 0
  return status.observedGeneration === metadata.generation && wanted > 0 && updated === wanted
}

function namespace(): object {
  // The balancer is on the node's own network, which every profile but this one forbids.
  const labels = { 'pod-security.kubernetes.io/enforce': 'privileged' }
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE, labels } }
}

async function within(
  timeoutMs: number,
  isDone: () => Promise<boolean>,
  complaint: () => Promise<string>,
): Promise<void> {
  const endsAtMs = performance.now() + timeoutMs
  while (!(await isDone())) {
    if (performance.now() > endsAtMs) throw new Error(await complaint())
    await sleep(LOOK_EVERY_MS)
  }
}
