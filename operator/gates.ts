/**
 * The step of the pass that tells Kubernetes which pods answer: the condition of the readiness gate, on pods that
 * declare it.
 * Not here: what it should say (readiness.ts). Invariant: only what differs from what is there is written.
 */
import type { Context } from './context.ts'
import type { Judgement, Verdict } from './judge.ts'
import type { Pool } from './pool.ts'
import { type Opinion, sameGate } from './readiness.ts'

export function setGates(pool: Pool, { judgements }: Verdict, context: Context): void {
  const { readiness, ports } = context
  const { namespace } = pool
  const opinions = new Map(judgements.flatMap((judgement) => opinionOf(namespace, judgement)))
  context.mark(readiness.set(pool.key, opinions))
  for (const { candidate } of judgements) {
    const { pod } = candidate
    const wanted = pod === null ? null : readiness.of(`${namespace}/${pod.name}`)
    if (pod === null || pod.gate === null || wanted === null) continue
    if (!pod.deleting && !sameGate(pod.gate, wanted)) ports.cluster.setGate(namespace, pod, wanted)
  }
}

function opinionOf(
  namespace: string,
  { candidate, probed }: Judgement,
): readonly (readonly [string, Opinion])[] {
  const { pod, address, port } = candidate
  if (pod === null || probed === null) return []
  const endpoint = address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
  return [[`${namespace}/${pod.name}`, { ...probed, endpoint }]]
}
