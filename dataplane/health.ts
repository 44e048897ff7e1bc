/**
 * Whether this balancer lives and whether it serves, with the first reason why not. Not here: HTTP
 * (`io/http.ts`). Invariants: ready means that a phone's packet would be forwarded, or that there is no
 * SipProxy to serve; whoever ends is not ready, though it still forwards.
 */

import type { BalancerState } from './state.ts'
import { SocketState } from './worker-config.ts'

export interface Readiness {
  readonly isReady: boolean
  /** CamelCase, from a closed set. */
  readonly reason: string
  readonly message: string
}

export function readiness(state: BalancerState): Readiness {
  const { keys, tables, pools, inUse } = state
  if (state.isStopping) return notReady('Stopping', 'told to end: routers should turn away')
  if (!isAlive(state)) return notReady('WorkersStopped', 'no packet worker is running')
  if (keys.current.length === 0) return notReady('KeysMissing', 'there are no keys yet')
  if (state.listed === null && pools.size === 0) {
    return notReady('TablesUnread', 'the tables could not be read yet')
  }
  const unbound = state.sockets.merged().filter((socket) => socket.state !== SocketState.bound)
  const inside = unbound.find((socket) => socket.role === 'inside')
  if (inside !== undefined) {
    return notReady('InsideNotBound', `${inside.address}:${inside.port}: ${inside.message}`)
  }
  if (tables.ids.length === 0) return { isReady: true, reason: 'Idle', message: 'no SipProxy' }
  if (inUse.size === 0) return notReady('NoTableInUse', 'no table is in use')
  const outside = state.sockets.merged().filter((socket) => socket.role === 'outside')
  if (!outside.some((socket) => socket.state === SocketState.bound)) {
    return notReady('NothingBound', 'no address of any SipProxy is bound')
  }
  return { isReady: true, reason: 'Serving', message: `${inUse.size} SipProxies` }
}

/** At least one packet worker is turning; asked of a main thread that answers, that is life. */
export function isAlive({ workers }: BalancerState): boolean {
  return Array.from({ length: workers.count }, (_, index) => index).some((index) =>
    workers.isRunning(index),
  )
}

function notReady(reason: string, message: string): Readiness {
  return { isReady: false, reason, message }
}
