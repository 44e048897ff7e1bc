/** What a watch of the API server says of its troubles, for whoever reads what it keeps. */

import type { WatchTrouble } from '@sipcast/kube'
import { API_PATIENCE_MS } from '../../limits.ts'

/** In words; null: changes are heard of, or were a moment ago. */
export function lastingTrouble(trouble: WatchTrouble | null, nowMs: number): string | null {
  return trouble !== null && nowMs - trouble.sinceMs > API_PATIENCE_MS ? trouble.message : null
}
