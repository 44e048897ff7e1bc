/**
 * What is wrong just now, each told once when it begins and once when it ends.
 * Not here: finding out. Invariant: a trouble that lasts for hours is two log lines.
 */

import type { Tell } from './ports.ts'

export interface Trouble {
  /** CamelCase, from a closed set; the event when it begins, with `Mended` appended when it ends. */
  readonly reason: string
  readonly message: string
}

export interface TroubleOf extends Trouble {
  /** Whose: a SipProxy, a store. */
  readonly subject: string
}

export class Troubles {
  readonly #tell: Tell
  #present: readonly TroubleOf[] = []

  constructor(tell: Tell) {
    this.#tell = tell
  }

  /** States everything that is wrong now. */
  state(troubles: readonly TroubleOf[]): void {
    const before = this.#present
    this.#present = troubles
    for (const trouble of troubles) {
      if (before.some((one) => isOfKind(one, trouble) && one.message === trouble.message)) continue
      this.#say('warn', trouble.reason, trouble)
    }
    for (const trouble of before) {
      if (troubles.some((one) => isOfKind(one, trouble))) continue
      this.#say('info', `${trouble.reason}Mended`, {
        ...trouble,
        message: `no longer: ${trouble.message}`,
      })
    }
  }

  #say(level: 'warn' | 'info', event: string, { subject, message }: TroubleOf): void {
    this.#tell({ level, event, message, details: { subject } })
  }
}

function isOfKind(a: TroubleOf, b: TroubleOf): boolean {
  return a.subject === b.subject && a.reason === b.reason
}
