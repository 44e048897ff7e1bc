/**
 * The smallest parts of a BIRD configuration, each written so that it can be nothing else: the language has no
 * escapes. Not here: what they mean together (`render.ts`). Invariant: what cannot be written is refused by an
 * exception, never bent; schemas have checked all of it before, so only a defect of ours gets that far. A password is
 * the exception (`isWritable`): it comes from a Secret, which no schema checks.
 */

import { strict as assert } from 'node:assert'
import { canonicalAddress } from '../../address-text.ts'

/** What can stand between quotation marks. */
export function isWritable(text: string): boolean {
  return /^[ !#-~]*$/.test(text)
}

export function quoted(text: string): string {
  assert(isWritable(text), 'a string that BIRD cannot read')
  return `"${text}"`
}

export function address(text: string): string {
  const canonical = canonicalAddress(text)
  assert(canonical !== null, 'no address')
  return canonical
}

export function ipv4(text: string): string {
  assert(!address(text).includes(':'), 'no IPv4 address')
  return address(text)
}

export function whole(value: number, min: number, max: number): string {
  assert(Number.isSafeInteger(value) && value >= min && value <= max, 'a number out of range')
  return String(value)
}

/**
 * A name in BIRD for an object's name. The colon keeps it apart from BIRD's keywords, which win even between
 * apostrophes; a longer prefix would not leave room for all 63 characters (SYM_MAX_LEN is 64).
 */
export function symbol(name: string): string {
  assert(/^[a-z0-9][-.a-z0-9]{0,62}$/.test(name), 'a name that BIRD cannot read')
  return `':${name}'`
}

/** The reverse of `symbol`, as BIRD prints it; null: no such name. */
export function nameOfSymbol(text: string): string | null {
  return text.startsWith(':') ? text.slice(1) : null
}
