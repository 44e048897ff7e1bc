/**
 * Why something in the cluster is not ready, in its own words: what each pod waits for, how it ended, the last it
 * printed; what the objects' conditions say; the warnings among the events.
 */
import type { Kubectl } from './kubectl.ts'

const LOG_LINES = 15
const EVENTS_MAX = 10

interface Condition {
  readonly type: string
  readonly status: string
  readonly reason?: string
  readonly message?: string
}

interface ContainerStatus {
  readonly name: string
  /** `containerd://…`; absent before it is made. */
  readonly containerID?: string
  readonly ready: boolean
  readonly restartCount: number
  readonly state?: ContainerState
  readonly lastState?: ContainerState
}

interface ContainerState {
  readonly running?: object
  readonly waiting?: { readonly reason?: string; readonly message?: string }
  readonly terminated?: {
    readonly containerID?: string
    readonly exitCode: number
    readonly reason?: string
    readonly message?: string
  }
}

export interface Pod {
  readonly metadata: {
    readonly name: string
    readonly uid: string
    readonly annotations?: Readonly<Record<string, string>>
    readonly deletionTimestamp?: string
  }
  readonly spec: { readonly nodeName?: string }
  readonly status: {
    readonly phase: string
    readonly podIP?: string
    readonly hostIP?: string
    readonly conditions?: readonly Condition[]
    readonly containerStatuses?: readonly ContainerStatus[]
    readonly initContainerStatuses?: readonly ContainerStatus[]
  }
}

interface Event {
  readonly type: string
  readonly reason: string
  readonly message: string
  readonly involvedObject: { readonly kind: string; readonly name: string }
}

export function isReady({ status }: Pod): boolean {
  return conditionOf(status.conditions, 'Ready') === 'True'
}

export function conditionOf(
  conditions: readonly Condition[] | undefined,
  type: string,
): string | undefined {
  return conditions?.find((condition) => condition.type === type)?.status
}

/** A text for people, about the pods of a namespace that are not ready; empty where all are. */
export async function troublesIn(kubectl: Kubectl, namespace: string): Promise<string> {
  const pods = await kubectl.list<Pod>('pods', '-n', namespace)
  const troubled = pods.filter((pod) => !isReady(pod))
  const told = await Promise.all(troubled.map((pod) => troubleOf(kubectl, namespace, pod)))
  const warnings = await warningsIn(kubectl, namespace)
  if (pods.length === 0) told.push(`no pod in namespace ${namespace}`)
  return [...told, ...(told.length === 0 ? [] : warnings)].join('\n')
}

async function troubleOf(kubectl: Kubectl, namespace: string, pod: Pod): Promise<string> {
  const { name } = pod.metadata
  const containers = [
    ...(pod.status.initContainerStatuses ?? []),
    ...(pod.status.containerStatuses ?? []),
  ].filter(({ ready, state }) => !ready && state?.terminated?.exitCode !== 0)
  const refusing = (pod.status.conditions ?? []).filter(({ status }) => status === 'False')
  const lines = [
    `pod ${name} (${pod.spec.nodeName ?? 'on no node'}): ${pod.status.phase}`,
    ...refusing.map(({ type, reason, message }) => `  ${type}: ${reason ?? ''} ${message ?? ''}`),
  ]
  for (const container of containers) {
    lines.push(`  container ${container.name}: ${stateOf(container)}`)
    const words = await lastWords(kubectl, namespace, name, container)
    lines.push(...words.map((line) => `    ${line}`))
  }
  return lines.join('\n')
}

function stateOf({ state, lastState, restartCount }: ContainerStatus): string {
  const ended = state?.terminated ?? lastState?.terminated
  const waiting = state?.waiting
  return [
    waiting === undefined ? 'running, not ready' : `${waiting.reason} ${waiting.message ?? ''}`,
    ended === undefined ? '' : `; ended with ${ended.exitCode} ${ended.message ?? ''}`,
    restartCount > 0 ? `; restarted ${restartCount} times` : '',
  ].join('')
}

async function lastWords(
  kubectl: Kubectl,
  namespace: string,
  pod: string,
  container: ContainerStatus,
): Promise<string[]> {
  const previous = container.restartCount > 0 && container.state?.running === undefined
  const args = ['logs', '-n', namespace, pod, '-c', container.name, `--tail=${LOG_LINES}`]
  // One that never ran has no words.
  const said = await kubectl.run(...args, ...(previous ? ['--previous'] : [])).catch(() => '')
  return said.split('\n').filter((line) => line !== '')
}

async function warningsIn(kubectl: Kubectl, namespace: string): Promise<string[]> {
  const events = await kubectl.list<Event>('events', '-n', namespace)
  return events
    .filter(({ type }) => type === 'Warning')
    .slice(-EVENTS_MAX)
    .map(({ involvedObject: of, reason, message }) => `${of.kind} ${of.name}: ${reason} ${message}`)
}
