/**
 * The step of the pass that tells Kubernetes which pods answer: the condition of the readiness gate, on pods that
 * declare it.
 * Not here: what it should say (readiness.ts). Invariants: only what differs from what is there is written; True is
 * never left behind on a pod that nobody probes any more.
 */
import type { Context } from './context.ts'
import { type Judgement, Reason, type Verdict } from './judge.ts'
import type { Pool } from './pool.ts'
import type { Pod, PodGate } from './ports.ts'
import { type Opinion, sameGate } from './readiness.ts'

export function setGates(pool: Pool, { judgements }: Verdict, context: Context): void {
  const { readiness, ports } = context
  const { namespace } = pool
  const opinions = new Map(judgements.flatMap((judgement) => opinionOf(namespace, judgement)))
  context.mark(readiness.set(pool.key, opinions))
  const pods = judgements.flatMap(({ candidate: { pod } }) => pod ?? [])
  for (const pod of pods) {
    const wanted = readiness.of(`${namespace}/${pod.name}`)
    if (pod.deleting || pod.gate === null || wanted === null) continue
    if (!sameGate(pod.gate, wanted)) ports.cluster.setGate(namespace, pod, wanted)
  }
  letGo(pool, pods, context)
}

/** The SipProxy is gone: it has no pods any more. */
export function releaseGates(pool: Pool, context: Context): void {
  context.mark(context.readiness.delete(pool.key))
  letGo(pool, [], context)
}

/** Pods that no SipProxy has any more hear of it, those that are gone excepted. */
function letGo(pool: Pool, kept: readonly Pod[], { readiness, ports }: Context): void {
  const { namespace } = pool
  for (const pod of pool.pods) {
    if (pod.gate === null || readiness.isAnybodys(`${namespace}/${pod.name}`)) continue
    ports.cluster.setGate(namespace, pod, NOBODY_ASKS)
  }
  pool.pods = kept
}

/** Kubernetes takes it for not ready, as it does a new pod that no SipProxy has. */
const NOBODY_ASKS: PodGate = {
  status: 'Unknown',
  reason: Reason.notProbed,
  message: 'No SipProxy has this pod among its proxies, so nobody asks whether it answers.',
}

function opinionOf(
  namespace: string,
  { candidate, probed }: Judgement,
): readonly (readonly [string, Opinion | null])[] {
  const { pod, address, port } = candidate
  if (pod === null) return []
  const endpoint = address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
  return [[`${namespace}/${pod.name}`, probed === null ? null : { ...probed, endpoint }]]
}
