/** What a watch of the API server says of its troubles, for whoever reads what it keeps. */

import type { ApiErrorCode, ListWatch } from '@sipcast/kube'
import { API_PATIENCE_MS } from '../../limits.ts'
import type { Staleness } from '../../ports.ts'

/** Remembers the words of the trouble. */
export class Trouble {
  message = ''
  code: ApiErrorCode | null = null

  tell(message: string | null, code: ApiErrorCode | null): void {
    if (message === null) return
    this.message = message
    this.code = code
  }
}

/** In words; null: changes are heard of, or were a moment ago. */
export function lastingTrouble<T>(
  watch: ListWatch<T>,
  trouble: Trouble,
  nowMs: number,
): string | null {
  const stale = stalenessOf(watch, trouble)
  const isLasting = stale !== null && nowMs - stale.sinceMs > API_PATIENCE_MS
  return isLasting ? stale.message : null
}

/** Null: changes are heard of. */
export function stalenessOf<T>(
  { troubleSince }: ListWatch<T>,
  { message }: Trouble,
): Staleness | null {
  return troubleSince === null ? null : { sinceMs: troubleSince, message }
}
