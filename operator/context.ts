/** What every pass works with: the ports, and what is known across SipProxies. */
import type { AddressPools } from './address-pools.ts'
import type { Balancers } from './balancers.ts'
import type { Claims } from './claims.ts'
import type { Metrics } from './metrics.ts'
import type { Pool } from './pool.ts'
import { type Key, type Ports, StoreError, StoreErrorCode } from './ports.ts'
import type { Probes } from './probes.ts'
import type { Readiness } from './readiness.ts'

export interface Context {
  readonly ports: Ports
  readonly claims: Claims
  readonly balancers: Balancers
  readonly probes: Probes
  readonly readiness: Readiness
  /** Null: every address may be used (directory mode). */
  readonly addressPools: AddressPools | null
  readonly metrics: Metrics
  /** Id of the key that signs; null while there is none that balancers could have. */
  readonly signingKey: () => number | null
  /** A pass for these, soon. */
  readonly mark: (keys: readonly Key[]) => void
  /** Nothing is left of this SipProxy. */
  readonly forget: (key: Key) => void
}

export type StoreWhat = 'tableRead' | 'tableWrite' | 'statusRead' | 'statusWrite'

/**
 * Runs one read or write of a pass. What fails is told once, counted each time, and remembered until it succeeds;
 * null stands for "it failed". Anything but a StoreError is a bug and passes through.
 */
export async function attempt<T>(
  context: Context,
  pool: Pool,
  what: StoreWhat,
  action: () => Promise<T>,
): Promise<{ readonly value: T } | null> {
  try {
    const value = await action()
    if (pool.failing.delete(what)) {
      const message = `${what} of ${pool.key} works again`
      context.ports.tell({ level: 'info', event: 'StoreRecovered', key: pool.key, message })
    }
    return { value }
  } catch (cause) {
    if (!(cause instanceof StoreError)) throw cause
    context.metrics.storeFailures.inc({ what, code: cause.code })
    // A conflict is ordinary: the next pass reads again.
    if (cause.code === StoreErrorCode.conflict) return null
    if (pool.failing.get(what) !== cause.message) {
      pool.failing.set(what, cause.message)
      const { message } = cause
      context.ports.tell({ level: 'error', event: 'StoreFailed', key: pool.key, message })
    }
    return null
  }
}
