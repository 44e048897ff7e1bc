/**
 * Helm and the API server that SIPCAST_TEST_KUBECONFIG names, as the suite of the chart uses them: rendering, trying
 * out, and asking as somebody else. Not here: what is wanted of the chart.
 */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type ApiObject, ApiServer, kubeconfigAccess } from '@sipcast/kube'
import { parseAllDocuments } from 'yaml'
import { ROOT } from '../repository.ts'

export interface Rendered extends ApiObject {
  readonly apiVersion: string
  readonly kind: string
}

/** What the chart's `kubeVersion` wants, and what its newest features are served since. */
const KUBE_VERSION = '1.31.0'
const CHART = join(ROOT, 'charts/sipcast')
export const NAMESPACE = 'sipcast-chart-test'

const run = promisify(execFile)
const OUTPUT_BYTES_MAX = 32 * 1024 * 1024

/**
 * The chart's objects under these values, for a cluster that knows its resources, unless told otherwise.
 * @throws with Helm's words
 */
export async function render(
  values: object = {},
  { isFirst = false }: { readonly isFirst?: boolean } = {},
): Promise<readonly Rendered[]> {
  const args = [
    'template',
    'sipcast',
    CHART,
    '--namespace',
    NAMESPACE,
    '--kube-version',
    KUBE_VERSION,
    ...(isFirst ? [] : ['--api-versions', 'sipcast.io/v1alpha1/BgpPeer']),
  ]
  const sets = Object.entries(values).flatMap(([name, value]) => [
    '--set-json',
    `${name}=${JSON.stringify(value)}`,
  ])
  const { stdout } = await run('helm', [...args, ...sets], { maxBuffer: OUTPUT_BYTES_MAX })
  return parseAllDocuments(stdout)
    .map((document) => document.toJS() as Rendered | null)
    .filter((object) => object !== null)
}

/** What kubectl prints. @throws with its words */
export async function kubectl(
  args: readonly string[],
  objects?: readonly object[],
): Promise<string> {
  const env = { ...process.env, KUBECONFIG: process.env['SIPCAST_TEST_KUBECONFIG'] }
  const child = run('kubectl', args, { env, maxBuffer: OUTPUT_BYTES_MAX })
  const list = { apiVersion: 'v1', kind: 'List', items: objects ?? [] }
  child.child.stdin?.end(objects === undefined ? '' : JSON.stringify(list))
  return (await child).stdout
}

/** Whether the API server would take all of them, without their being made. @throws with its complaints */
export async function tryOut(objects: readonly object[]): Promise<string> {
  return await kubectl(
    ['apply', '--server-side', '--force-conflicts', '--dry-run=server', '-f', '-'],
    objects,
  )
}

/** The API, as this account would see it from a pod on this node. */
export async function asAccount(account: string, node: string | null): Promise<ApiServer> {
  const access = await kubeconfigAccess(process.env['SIPCAST_TEST_KUBECONFIG'] ?? '')
  const impersonation = {
    'Impersonate-User': `system:serviceaccount:${NAMESPACE}:${account}`,
    ...(node === null
      ? {}
      : { 'Impersonate-Extra-authentication.kubernetes.io%2Fnode-name': node }),
  }
  return new ApiServer({
    access: { ...access, headers: async () => ({ ...(await access.headers()), ...impersonation }) },
  })
}

export interface PodSpec {
  readonly automountServiceAccountToken: boolean
  readonly initContainers: readonly Container[]
  readonly containers: readonly Container[]
  readonly volumes: readonly {
    readonly secret?: { readonly secretName: string; readonly optional?: boolean }
  }[]
}

export interface Container {
  readonly name: string
  readonly image: string
  readonly args: readonly string[]
  readonly securityContext: {
    readonly runAsUser?: number
    readonly allowPrivilegeEscalation: boolean
    readonly capabilities: { readonly add?: readonly string[] }
  }
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[]
}

/** The balancers'. */
export function podOf(objects: readonly Rendered[]): PodSpec {
  const { spec } = objects.find(({ kind }) => kind === 'DaemonSet') as Rendered
  return (spec as { template: { spec: PodSpec } }).template.spec
}

/** Names of containers with what they may do beyond the restricted profile. */
export function addedIn(pod: PodSpec): readonly (readonly [string, readonly string[], boolean])[] {
  return [...pod.initContainers, ...pod.containers].map(({ name, securityContext }) => [
    name,
    securityContext.capabilities.add ?? [],
    securityContext.allowPrivilegeEscalation,
  ])
}

/** Names of containers that have such a volume. */
export function mounting(pod: PodSpec, volume: RegExp): readonly string[] {
  return pod.containers
    .filter(({ volumeMounts }) => volumeMounts.some(({ name }) => volume.test(name)))
    .map(({ name }) => name)
}
