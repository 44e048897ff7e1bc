/**
 * Whether routers are really told of what is announced: a session may be up and carry one IP version only, or BIRD may
 * have turned a route down. Not here: asking BIRD. Invariant: what has just changed is no trouble yet.
 */

import type { Trouble } from '../troubles.ts'
import { EXPORT_PATIENCE_MS } from './limits.ts'
import type { Routers } from './ports.ts'

export class ExportCheck {
  /** Since when something is missing. */
  #sinceMs: number | null = null

  /** Null: all is well, or no router listens, which is said elsewhere. */
  look(
    announced: ReadonlySet<string>,
    { hasSession, exported }: Pick<Routers, 'hasSession' | 'exported'>,
    nowMs: number,
  ): Trouble | null {
    const ipv6 = [...announced].filter((address) => address.includes(':')).length
    const missing = [
      ...lackOf('IPv4', announced.size - ipv6, exported.ipv4),
      ...lackOf('IPv6', ipv6, exported.ipv6),
    ]
    if (!hasSession || missing.length === 0) {
      this.#sinceMs = null
      return null
    }
    this.#sinceMs ??= nowMs
    if (nowMs - this.#sinceMs < EXPORT_PATIENCE_MS) return null
    return { reason: 'NotExported', message: `no router is told of ${missing.join(', nor of ')}` }
  }
}

function lackOf(version: string, announced: number, exported: number): readonly string[] {
  if (exported >= announced) return []
  return [`more than ${exported} of ${announced} ${version} addresses`]
}
