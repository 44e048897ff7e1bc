/**
 * Request line and status line (RFC 3261 §7.1, §7.2): exactly one space between their parts, nothing after them.
 * A line that is wrong in another way than not being SIP at all sets the defect, and the headers are read all the
 * same: a 400 needs them.
 */
import * as ascii from './ascii.ts'
import { Defect, type Message } from './message.ts'
import { methodOf } from './method.ts'
import { parseUri } from './uri.ts'
import { skipText, skipVisible } from './skip.ts'

const { CLASS, CR, decimal, LF, SLASH, SPACE, TAB, TOKEN } = ascii

const STATUS_CODE_MAX = 699
/** Bytes of "SIP/2.0". */
const VERSION_LENGTH = 7

/** Reads the start line at `message.start`; the offset of the first header line, or -1 if there is no such line. */
export function readStartLine(message: Message): number {
  const { bytes, start, end } = message
  if (isSipSlash(bytes, start, end)) {
    message.defect = statusLine(message, start, end)
  } else {
    let method = start
    while (method < end && (CLASS[bytes[method]!]! & TOKEN) !== 0) method++
    if (method === start || method === end || bytes[method] !== SPACE) return -1
    message.isRequest = true
    message.methodStart = start
    message.methodEnd = method
    message.method = methodOf(message.view, start, method)
    message.defect = requestLine(message, method + 1, end)
  }
  return afterLine(message, start, end)
}

function requestLine(message: Message, start: number, end: number): Defect {
  const { bytes, view } = message
  const at = skipVisible(view, start, end)
  const version = at + 1
  if (at === start || at >= end || bytes[at] !== SPACE) return Defect.startLine
  const uriIsGood = parseUri(message.uri, bytes, start, at)
  if (!isSipSlash(bytes, version, end)) return Defect.startLine
  if (!isVersion2(bytes, version, end)) return Defect.version
  if (!isLineEnd(bytes, version + VERSION_LENGTH, end)) return Defect.startLine
  return uriIsGood ? Defect.none : Defect.requestUri
}

/** The reason phrase may be missing with its space: some gateways leave it out. */
function statusLine(message: Message, start: number, end: number): Defect {
  const bytes = message.bytes
  if (!isVersion2(bytes, start, end)) return Defect.version
  const code = start + VERSION_LENGTH + 1
  const after = code + 3
  if (after >= end || bytes[code - 1] !== SPACE) return Defect.startLine
  message.statusCode = decimal(bytes, code, after, STATUS_CODE_MAX)
  if (message.statusCode < 100) return Defect.statusCode
  return bytes[after] === SPACE || isLineEnd(bytes, after, end) ? Defect.none : Defect.statusCode
}

/** Offset after the start line, or -1 without a line end. */
function afterLine(message: Message, start: number, end: number): number {
  const { bytes, view } = message
  for (let i = skipText(view, start, end); i < end; i = skipText(view, i + 1, end)) {
    const byte = bytes[i]!
    if (byte === LF) return i + 1
    if (byte === TAB || isLineEnd(bytes, i, end)) continue
    message.spoil(Defect.controlCharacter)
  }
  return -1
}

function isLineEnd(bytes: Uint8Array, at: number, end: number): boolean {
  if (at < end && bytes[at] === LF) return true
  return at + 1 < end && bytes[at] === CR && bytes[at + 1] === LF
}

/** "SIP/" in any case (RFC 3261 §7.1). */
function isSipSlash(bytes: Uint8Array, at: number, end: number): boolean {
  return (
    at + VERSION_LENGTH <= end &&
    (bytes[at]! | 32) === 0x73 &&
    (bytes[at + 1]! | 32) === 0x69 &&
    (bytes[at + 2]! | 32) === 0x70 &&
    bytes[at + 3] === SLASH
  )
}

/** "2.0" after "SIP/" at `at`. */
function isVersion2(bytes: Uint8Array, at: number, end: number): boolean {
  return (
    at + VERSION_LENGTH <= end &&
    bytes[at + 4] === 0x32 &&
    bytes[at + 5] === 0x2e &&
    bytes[at + 6] === 0x30
  )
}
