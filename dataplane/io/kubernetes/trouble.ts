/** What a watch of the API server says of its troubles, for whoever reads what it keeps. */

import type { ListWatch } from '@sipcast/kube'
import type { Staleness } from '../../ports.ts'

/** Remembers the words of the trouble. */
export class Trouble {
  message = ''

  tell(message: string | null): void {
    if (message !== null) this.message = message
  }
}

/** Null: changes are heard of. */
export function stalenessOf<T>(
  { troubleSince }: ListWatch<T>,
  { message }: Trouble,
): Staleness | null {
  return troubleSince === null ? null : { sinceMs: troubleSince, message }
}
