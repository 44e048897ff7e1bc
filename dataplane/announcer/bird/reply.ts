/**
 * The framing of BIRD's control socket. Every line of a reply opens with a code of four digits; a dash after it says
 * that more lines follow, a space that the reply is over; a line that opens with a space goes on under the last code.
 *
 *     1011-Router ID is 192.0.2.1
 *      Hostname is node-a
 *     0013 Daemon is up and running
 *
 * Pure. Not here: the socket (`io/control.ts`), what replies mean (`sessions.ts`).
 */

export interface Reply {
  /** That of the last line: 0…7999 all is well, 8000…8999 refused while running, 9000… not understood. */
  readonly code: number
  /** Without codes; the indentation that BIRD gave them stays. */
  readonly lines: readonly string[]
}

/** Cuts the first whole reply off; null while there is none. */
export function takeReply(text: string): { readonly reply: Reply; readonly rest: string } | null {
  const end = /^([0-9]{4}) .*\n/m.exec(text)
  if (end === null) return null
  const length = end.index + end[0].length
  const lines = text.slice(0, length - 1).split('\n')
  return {
    reply: {
      code: Number(end[1]),
      lines: lines.map((line) => line.replace(/^([0-9]{4}[- ]| )/, '')),
    },
    rest: text.slice(length),
  }
}

export function isRefusal({ code }: Reply): boolean {
  return code >= 8_000
}
