/**
 * Whether the balancer answers at its own addresses: an OPTIONS to each of its outside sockets, as a phone would
 * send it. Not here: sending (`io/address-prober.ts`), whether anything else is amiss (`proof.ts`). Invariants: an
 * address nobody has seen answering is not proven; one that answered stays so until SELF_TEST_FALL tests in a row
 * are unanswered with nothing flowing either: a flood drowns tests, and withdrawing this node for it would drown the
 * next one. What is counted is tests, not time: a main thread that stood still has missed none.
 */

import type { ProbeResult, ProbeTarget } from '@sipcast/net'
import {
  SELF_TEST_FALL,
  SELF_TEST_INTERVAL_MS,
  SELF_TEST_TIMEOUT_MS,
  SELF_TESTS_PER_SECOND_MAX,
} from './limits.ts'
import { type SocketReport, SocketState } from './worker-config.ts'

interface Test {
  readonly address: string
  readonly port: number
  hasAnswered: boolean
  /** Unanswered ones since the last answer. */
  misses: number
}

export class SelfTest {
  readonly #tests = new Map<string, Test>()

  /** What is to be tested from now on; null: the same as before. Newcomers have to prove themselves. */
  aim(sockets: readonly SocketReport[]): readonly ProbeTarget[] | null {
    const wanted = new Map(
      sockets.filter(isOpenOutside).map((socket) => [socketId(socket), socket]),
    )
    const gone = [...this.#tests.keys()].filter((id) => !wanted.has(id))
    const fresh = [...wanted].filter(([id]) => !this.#tests.has(id))
    if (gone.length + fresh.length === 0) return null
    for (const id of gone) this.#tests.delete(id)
    for (const [id, { address, port }] of fresh) {
      this.#tests.set(id, { address, port, hasAnswered: false, misses: 0 })
    }
    return this.#targets()
  }

  /** True: it is proven now, or no longer, by its own tests. */
  observe({ id, outcome }: ProbeResult): boolean {
    const test = this.#tests.get(id)
    if (test === undefined) return false
    const before = isAnswering(test)
    if (outcome === 'accepted') Object.assign(test, { hasAnswered: true, misses: 0 })
    else test.misses++
    return isAnswering(test) !== before
  }

  /** @param isFlowing phones are being served there, as the workers count */
  isProven({ address, port }: Pick<SocketReport, 'address' | 'port'>, isFlowing: boolean): boolean {
    const test = this.#tests.get(socketId({ address, port }))
    if (test === undefined) return false
    if (isAnswering(test)) return true
    test.hasAnswered &&= isFlowing
    return test.hasAnswered
  }

  /** For people: what the tests alone say. */
  results(): readonly { readonly address: string; port: number; isAnswering: boolean }[] {
    return Array.from(this.#tests.values(), (test) => ({
      address: test.address,
      port: test.port,
      isAnswering: isAnswering(test),
    }))
  }

  #targets(): readonly ProbeTarget[] {
    const spreadMs = (this.#tests.size * 1000) / SELF_TESTS_PER_SECOND_MAX
    return Array.from(this.#tests, ([id, { address, port }]) => ({
      id,
      address,
      port,
      requestUri: null,
      from: null,
      intervalMs: Math.max(SELF_TEST_INTERVAL_MS, spreadMs),
      timeoutMs: SELF_TEST_TIMEOUT_MS,
      acceptedCodes: ['200'],
    }))
  }
}

function isAnswering({ hasAnswered, misses }: Test): boolean {
  return hasAnswered && misses < SELF_TEST_FALL
}

function isOpenOutside({ role, state }: SocketReport): boolean {
  return role === 'outside' && state === SocketState.bound
}

/** Of an outside socket. */
export function socketId({ address, port }: Pick<SocketReport, 'address' | 'port'>): string {
  return `${address} ${port}`
}
