/** The run without a keyboard: one fault after the other, each at another node, as many as the time allows. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Damage } from './damage.ts'
import { faults } from './faults.ts'
import type { Trials } from './trial.ts'

/** From a fault until all is well again, and calls that were under way are over. */
const FAULT_SECONDS_MAX = 20

/** Takes about `seconds`; makes one fault at least. */
export async function runAnycastScript(
  { system }: Trials,
  damage: Damage,
  seconds: number,
  signal: AbortSignal,
): Promise<void> {
  const endsAtMs = performance.now() + seconds * 1_000
  const leftMs = () => endsAtMs - performance.now()
  for (const [index, { name }] of faults.entries()) {
    if (signal.aborted || (index > 0 && leftMs() < FAULT_SECONDS_MAX * 1_000)) break
    const node = system.nodes[index % system.nodes.length]
    if (node === undefined) throw new Error('there are no nodes')
    await damage.make(name, node)
    await damage.mend(node)
  }
  // Somebody may end it meanwhile.
  await sleep(Math.max(0, leftMs()), undefined, { signal }).catch(() => undefined)
}
