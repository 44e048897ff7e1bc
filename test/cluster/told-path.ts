/**
 * What a BIRD router was told of one node's way to an address, as it comes and goes: announced, marked (that others
 * are to be preferred, RFC 8326), gone. Not here: what its kernel makes of it (next-hop-log.ts).
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { ClusterNode, ClusterRouter } from '@sipcast/lab'

export const Told = { announced: 'announced', marked: 'marked', gone: 'gone' } as const
export type Told = (typeof Told)[keyof typeof Told]

/** A mark stands for a second. */
const LOOK_EVERY_MS = 50
const PATIENCE_MS = 60_000
const GRACEFUL_SHUTDOWN = '(65535,0)'

/** Each that it was, in order, until it is this. */
export async function toldUntil(
  last: Told,
  router: ClusterRouter,
  address: string,
  node: ClusterNode,
): Promise<readonly Told[]> {
  const seen: Told[] = []
  const endsAtMs = performance.now() + PATIENCE_MS
  for (;;) {
    // Without any way, birdc ends with 1 and says so.
    const printed = await router.show(`route all for ${address}`).catch(noWay)
    const now = toldOf(printed, node)
    if (seen.at(-1) !== now) seen.push(now)
    if (now === last) return seen
    if (performance.now() > endsAtMs) throw new Error(`never ${last}: ${seen.join(' ')}`)
    await sleep(LOOK_EVERY_MS)
  }
}

function noWay(error: unknown): string {
  if (String(error).includes('Network not found')) return ''
  throw error
}

/** One paragraph for each way. */
function toldOf(printed: string, { ipv4 }: ClusterNode): Told {
  const way = printed.split(/^(?=\S*\s+unicast \[)/m).find((text) => {
    return text.includes(`\tvia ${ipv4} `)
  })
  if (way === undefined) return Told.gone
  return way.includes(GRACEFUL_SHUTDOWN) ? Told.marked : Told.announced
}
