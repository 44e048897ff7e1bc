/**
 * Gives memory back to the system after a heap of garbage. Neither V8 nor malloc does it by itself soon: a
 * hundred large tables leave 100 MiB that nobody uses, between the parts that somebody does. Invariant:
 * workers are not stopped, and the main thread for some 10 ms.
 */

import { setTimeout } from 'node:timers'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { trimMemory } from '@sipcast/net'
import { RELIEF_DELAY_MS } from '../limits.ts'

let collect: (() => void) | null = null
let isDue = false

export function releaseMemory(): void {
  collectGarbage()
  if (isDue) return
  isDue = true
  // Freed buffers reach malloc from a thread of V8's, a little later.
  setTimeout(() => {
    isDue = false
    collectGarbage()
    trimMemory()
  }, RELIEF_DELAY_MS).unref()
}

function collectGarbage(): void {
  if (collect === null) {
    setFlagsFromString('--expose-gc')
    collect = runInNewContext('gc') as () => void
  }
  collect()
}
