/**
 * Route values in order over all header lines (RFC 3261 §20.34): name-addr only, so every URI has its brackets.
 * Not here: which entries are ours (dataplane), how they are removed (edit.ts).
 */
import { COMMA, lower, SEMICOLON, skipSpace } from './ascii.ts'
import { Defect, type Message, ROUTES_MAX, type UriView } from './message.ts'
import { isBracketed, readAddress, readParam } from './name-addr.ts'

/** Appends the values in [start, end) of the header line that ends at `lineEnd` to the message's routes. */
export function parseRoutes(
  message: Message,
  line: number,
  start: number,
  end: number,
  lineEnd: number,
): Defect {
  let at = start
  for (;;) {
    if (message.routeCount === ROUTES_MAX) return Defect.tooManyRoutes
    const route = message.routes[message.routeCount]!
    route.lineStart = line
    route.lineEnd = lineEnd
    at = parseRoute(message, at, end)
    if (at < 0) return Defect.route
    message.routeCount++
    if (at === end) return Defect.none
    at = skipSpace(message.bytes, at + 1, end)
  }
}

/** One value; the offset of the ',' after it, or `end`; -1 if it is malformed. */
function parseRoute(message: Message, start: number, end: number): number {
  const { bytes, cursor } = message
  const route = message.routes[message.routeCount]!
  let at = readAddress(route.uri, bytes, start, end)
  if (at < 0 || !isBracketed(route.uri, bytes, end)) return -1
  route.loose = isLoose(route.uri, bytes)
  route.valueStart = start
  route.valueEnd = route.uri.end + 1
  while (at < end && bytes[at] === SEMICOLON) {
    at = readParam(cursor, bytes, at, end)
    if (at < 0) return -1
    route.valueEnd = cursor.paramEnd
  }
  return at === end || bytes[at] === COMMA ? at : -1
}

/** Whether `lr`, with or without a value, is among the URI parameters (`lr=on` is what some proxies write). */
function isLoose(uri: UriView, bytes: Uint8Array): boolean {
  const end = uri.paramsEnd
  for (let i = uri.paramsStart; i >= 0 && i + 2 < end; i++) {
    if (bytes[i] !== SEMICOLON) continue
    if (lower(bytes[i + 1]!) !== 0x6c || lower(bytes[i + 2]!) !== 0x72) continue
    if (i + 3 === end || bytes[i + 3] === SEMICOLON || bytes[i + 3] === 0x3d) return true
  }
  return false
}
