/** For tests: one row of a table of datagrams, and short ways to write the datagram. */
import type { Defect, Scan } from '../message.ts'
import type { Fields } from './reading.fixture.ts'

export interface Row {
  /** What is special about it. */
  readonly says: string
  readonly datagram: string
  readonly result: keyof typeof Scan
  readonly defect?: keyof typeof Defect
  /** Fields that must come out so. */
  readonly fields?: { readonly [Name in keyof Fields]?: DeepPartial<Fields[Name]> }
}

type DeepPartial<T> = T extends readonly (infer Item)[]
  ? readonly DeepPartial<Item>[]
  : T extends object
    ? { readonly [Name in keyof T]?: DeepPartial<T[Name]> }
    : T

/** A message of these lines, CRLF between them, with its empty line and a body. */
export function message(lines: readonly string[], body = ''): string {
  return `${lines.join('\r\n')}\r\n\r\n${body}`
}

/**
 * A plain INVITE with changes: `Name: value` replaces that header or is added, `-Name` removes one, `+Name: value` adds
 * another of the same name, `=line` replaces the start line, `^line` goes first.
 */
export function invite(...changes: string[]): string {
  return varied(
    [
      'INVITE sip:bob@example.com SIP/2.0',
      'Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1;rport',
      'Max-Forwards: 70',
      'From: <sip:alice@example.com>;tag=a1',
      'To: <sip:bob@example.com>',
      'Call-ID: c1@192.0.2.1',
      'CSeq: 1 INVITE',
      'Content-Length: 0',
    ],
    changes,
  )
}

/** A plain REGISTER, changed in the same way. */
export function register(...changes: string[]): string {
  return invite('=REGISTER sip:example.com SIP/2.0', 'CSeq: 1 REGISTER', ...changes)
}

/** A plain response, changed in the same way. */
export function response(...changes: string[]): string {
  return invite('=SIP/2.0 200 OK', 'To: <sip:bob@example.com>;tag=b1', '-Max-Forwards', ...changes)
}

function varied(original: readonly string[], changes: readonly string[]): string {
  const lines = [...original]
  for (const change of changes) {
    const rest = change.slice(1)
    if (change.startsWith('=')) lines[0] = rest
    else if (change.startsWith('+')) lines.push(rest)
    else if (change.startsWith('^')) lines.splice(1, 0, rest)
    else if (change.startsWith('-')) lines.splice(indexOf(lines, rest), 1)
    else {
      const index = indexOf(lines, change.split(':')[0]!)
      if (index < 0) lines.push(change)
      else lines[index] = change
    }
  }
  return message(lines)
}

function indexOf(lines: readonly string[], name: string): number {
  return lines.findIndex((line, i) => i > 0 && line.startsWith(`${name}:`))
}
