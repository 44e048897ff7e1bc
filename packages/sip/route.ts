/**
 * Route values in order over all header lines (RFC 3261 §20.34): name-addr only, so every URI has its brackets.
 * Not here: which entries are ours (dataplane), how they are removed (edit.ts).
 */
import * as ascii from './ascii.ts'
import { Defect, type Message, ROUTES_MAX, type UriView } from './message.ts'
import { isBracketed, readAddress, readParam } from './name-addr.ts'
import { skipSpace } from './skip.ts'

const { EQUAL, lower, SEMICOLON } = ascii

/** Appends the values in [start, end) of the message's current line to its routes. */
export function readRoutes(message: Message, start: number, end: number): void {
  let at = start
  while (message.routeCount < ROUTES_MAX) {
    at = readRoute(message, at, end)
    if (at < 0) return message.spoil(Defect.route)
    message.routeCount++
    if (at === end) return
    at = skipSpace(message.bytes, at + 1, end)
  }
  message.spoil(Defect.tooManyRoutes)
}

/** One value; the offset of the ',' after it, or `end`; -1 if it is malformed. */
function readRoute(message: Message, start: number, end: number): number {
  const { bytes, cursor } = message
  const route = message.routes[message.routeCount]!
  let at = readAddress(route.uri, bytes, start, end)
  if (at < 0 || !isBracketed(route.uri, bytes, end)) return -1
  route.lineStart = cursor.lineStart
  route.lineEnd = cursor.lineEnd
  route.loose = isLoose(route.uri, bytes)
  route.valueStart = start
  route.valueEnd = route.uri.end + 1
  while (at < end && bytes[at] === SEMICOLON) {
    at = readParam(cursor, bytes, at, end)
    if (at < 0) return -1
    route.valueEnd = cursor.paramEnd
  }
  return at
}

/** Whether `lr`, with or without a value, is among the URI parameters (`lr=on` is what some proxies write). */
function isLoose(uri: UriView, bytes: Uint8Array): boolean {
  const end = uri.paramsEnd
  for (let i = uri.paramsStart; i >= 0 && i + 2 < end; i++) {
    if (bytes[i] !== SEMICOLON || lower(bytes[i + 1]!) !== 0x6c) continue
    if (lower(bytes[i + 2]!) !== 0x72) continue
    if (i + 3 === end || bytes[i + 3] === SEMICOLON || bytes[i + 3] === EQUAL) return true
  }
  return false
}
