/**
 * Changes to a scanned message as a list of (range → bytes), applied once while copying: all other bytes arrive
 * as they came (the "lumps" idea of SIP proxies). Not here: what to change (dataplane/rewrite.ts).
 *
 *     message   |~~~~~~~~|xxxxx|~~~~~~~~~~~~~|~~~~~~~|
 *     edits         begin(from, to)     begin(at, at)
 *     out       |~~~~~~~~|new content|~~~~~~~|inserted|~~~~~~~|
 *
 * Invariants: edits may come in any order of offsets; two at the same offset keep the order of their calls, and an
 * insertion at the start of a replaced range comes before the replacement. Nothing is allocated after construction.
 * Edits that overlap, are too many or too long make `apply` return -1, as does an output that does not fit.
 */
import { COMMA, type Text } from './ascii.ts'
import type { Message } from './message.ts'
import { copyBytes } from './copy.ts'
import { Writer } from './writer.ts'
import { skipSpace } from './skip.ts'

/** Edits per message: every Route removed one by one and all our own additions. */
export const EDITS_MAX = 64

/** Longer ranges are left to the engine's own copying, which takes long to begin. */
const COPY_BYTES_MAX = 256

/** The array that edited messages are written to. */
interface Target {
  readonly bytes: Uint8Array
  readonly view: DataView
}

export class Edits {
  /** Ranges [from, to) of the message and their content [contentStart, contentEnd) of the scratch; sorted by from. */
  readonly #from = new Int32Array(EDITS_MAX)
  readonly #to = new Int32Array(EDITS_MAX)
  readonly #contentStart = new Int32Array(EDITS_MAX)
  readonly #contentEnd = new Int32Array(EDITS_MAX)
  readonly #scratch: Uint8Array
  readonly #content: Writer
  #count = 0
  #openFrom = -1
  #openTo = -1
  #openContent = 0
  #tooMany = false
  #target: Target = { bytes: new Uint8Array(0), view: new DataView(new ArrayBuffer(0)) }

  /** `scratchBytes`: room for the content of all edits of one message. */
  constructor(scratchBytes: number) {
    this.#scratch = new Uint8Array(scratchBytes)
    this.#content = new Writer(this.#scratch)
  }

  get count(): number {
    return this.#count
  }

  clear(): void {
    this.#count = 0
    this.#tooMany = false
    this.#content.open(this.#scratch, 0, this.#scratch.length)
  }

  /** Opens an edit that replaces [from, to) of the message; inserts where they are equal. Close it with `end`. */
  begin(from: number, to: number): void {
    this.#openFrom = from
    this.#openTo = to
    this.#openContent = this.#content.at
  }

  byte(byte: number): void {
    this.#content.byte(byte)
  }

  text(content: Text): void {
    this.#content.text(content)
  }

  slice(source: DataView, start: number, end: number): void {
    this.#content.slice(source, start, end)
  }

  number(value: number): void {
    this.#content.number(value)
  }

  address(words: Int32Array, at: number): void {
    this.#content.address(words, at)
  }

  host(words: Int32Array, at: number): void {
    this.#content.host(words, at)
  }

  endpoint(words: Int32Array, at: number): void {
    this.#content.endpoint(words, at)
  }

  base64url(source: DataView, start: number, end: number): void {
    this.#content.base64url(source, start, end)
  }

  /** Closes the open edit and sorts it in: few edits, mostly in order, so insertion is cheapest. */
  end(): void {
    if (this.#count === EDITS_MAX) {
      this.#tooMany = true
      return
    }
    let i = this.#count++
    while (i > 0 && this.#after(i - 1)) {
      this.#from[i] = this.#from[i - 1]!
      this.#to[i] = this.#to[i - 1]!
      this.#contentStart[i] = this.#contentStart[i - 1]!
      this.#contentEnd[i] = this.#contentEnd[i - 1]!
      i--
    }
    this.#from[i] = this.#openFrom
    this.#to[i] = this.#openTo
    this.#contentStart[i] = this.#openContent
    this.#contentEnd[i] = this.#content.at
  }

  /** Deletes [from, to). */
  remove(from: number, to: number): void {
    this.begin(from, to)
    this.end()
  }

  /**
   * Writes the edited message to [outAt, outEnd) of `out`, which may be the message's own array but not its range.
   * Returns the length, or -1.
   */
  apply(message: Message, out: Uint8Array, outAt: number, outEnd: number): number {
    if (this.#content.overflow || this.#tooMany) return -1
    const target = this.#turnTo(out)
    const content = this.#content.view
    let at = outAt
    let copied = message.start
    for (let i = 0; i < this.#count; i++) {
      const from = this.#from[i]!
      const added = this.#contentStart[i]!
      const addedEnd = this.#contentEnd[i]!
      const addedAt = at + from - copied
      const end = addedAt + addedEnd - added
      if (from < copied || this.#to[i]! > message.end || end > outEnd) return -1
      copy(message, copied, from, target, at)
      copyBytes(content, added, addedEnd, target.view, addedAt)
      at = end
      copied = this.#to[i]!
    }
    const end = at + message.end - copied
    if (end > outEnd) return -1
    copy(message, copied, message.end, target, at)
    return end - outAt
  }

  /** Makes a view of `out`, if it is another array than the last time. */
  #turnTo(out: Uint8Array): Target {
    if (out !== this.#target.bytes) {
      this.#target = { bytes: out, view: new DataView(out.buffer, out.byteOffset, out.byteLength) }
    }
    return this.#target
  }

  /** Whether edit `i` belongs after the open one: insertions stand before a replacement that starts where they do. */
  #after(i: number): boolean {
    const from = this.#from[i]!
    if (from !== this.#openFrom) return from > this.#openFrom
    return this.#openFrom === this.#openTo && this.#to[i]! > from
  }
}

/** Removes the first `count` Route values; a header line that loses all its values goes as a whole. */
export function removeRoutes(edits: Edits, message: Message, count: number): void {
  const last = Math.min(count, message.routeCount)
  let i = 0
  while (i < last) {
    const first = message.routes[i]!
    let after = i + 1
    while (after < message.routeCount && message.routes[after]!.lineStart === first.lineStart) {
      if (after === last) break
      after++
    }
    const next = message.routes[after]
    const shares = after < message.routeCount && next!.lineStart === first.lineStart
    if (shares) edits.remove(first.valueStart, next!.valueStart)
    else edits.remove(first.lineStart, first.lineEnd)
    i = after
  }
}

/** Removes the topmost Via value, and its header line if it is the only one there (RFC 3261 §16.7 step 3). */
export function removeTopVia(edits: Edits, message: Message): void {
  const via = message.via
  if (!via.hasMore) return edits.remove(via.lineStart, via.lineEnd)
  let next = skipSpace(message.bytes, via.valueEnd, via.lineEnd)
  if (next < via.lineEnd && message.bytes[next] === COMMA) next++
  edits.remove(via.valueStart, skipSpace(message.bytes, next, via.lineEnd))
}

/** [start, end) of the message to `target` at `at`. */
function copy(message: Message, start: number, end: number, target: Target, at: number): void {
  const isLong = end - start > COPY_BYTES_MAX && target.bytes === message.bytes
  if (isLong) target.bytes.copyWithin(at, start, end)
  else copyBytes(message.view, start, end, target.view, at)
}
