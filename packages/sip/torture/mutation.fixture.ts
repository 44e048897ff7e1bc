/**
 * For tests: valid messages broken at random, millions of them, and what must hold for each: the scan never throws,
 * says the same whatever stands around the datagram, points at nothing outside it, and what it understood is still
 * understood after a proxy's edits. The same seed breaks the same messages.
 */
import { asText, type Text } from '../ascii.ts'
import { Edits, removeRoutes } from '../edit.ts'
import { Message, Scan, type UriView } from '../message.ts'
import { scan } from '../scan.ts'
import { Random } from './random.fixture.ts'
import { bytesOf } from './reading.fixture.ts'
import { spell } from './spellings.fixture.ts'

const MARGIN = 16
const MESSAGE_BYTES_MAX = 4000
const MESSAGES = 300

/** What breaks parsers: delimiters, line ends, names that begin something, numbers at the edge. */
const PIECES = [
  ...'\r\n \t:;,<>"\\@/=[]%?*&+-.0\0\x7f\xff',
  '\r\n',
  '\r\n ',
  '\n\n',
  '\r\n\r\n',
  '\r\nVia: SIP/2.0/UDP x',
  '\r\nl: 1',
  '\r\nRoute: <sip:x;lr>',
  ';branch=',
  ';rport',
  ';tag=1',
  'sip:',
  'SIP/2.0',
  '4294967296',
  '2147483648',
  '65536',
].map(bytesOf)

const OUR_VIA = asText('Via: SIP/2.0/UDP 203.0.113.10;branch=z9hG4bKx;rport;s=abc\r\n')
const OUR_PATH = asText('Path: <sip:token@203.0.113.10;lr>\r\n')

export interface Tally {
  understood: number
  answerable: number
  dropped: number
}

/** Breaks `count` messages; throws with the message and the finding if anything does not hold. */
export function breakMessages(seed: number, count: number): Tally {
  const random = new Random(seed)
  const bench = new Bench()
  const originals = random.some(MESSAGES, MESSAGES, () => bytesOf(spell(random).datagram))
  for (let i = 0; i < count; i++) {
    bench.take(random.pick(originals))
    const breaks = 1 + random.below(4)
    for (let j = 0; j < breaks; j++) bench.break(random, random.pick(originals))
    bench.check(random)
  }
  return bench.tally
}

/** A datagram amid other bytes, the messages it is scanned into, and room for what becomes of it. */
class Bench {
  readonly tally: Tally = { understood: 0, answerable: 0, dropped: 0 }
  readonly #bytes = new Uint8Array(MESSAGE_BYTES_MAX + 2 * MARGIN)
  readonly #out = new Uint8Array(MESSAGE_BYTES_MAX + 1000)
  readonly #message = new Message()
  readonly #again = new Message()
  readonly #edits = new Edits(1000)
  #end = MARGIN

  take(original: Uint8Array): void {
    this.#bytes.set(original, MARGIN)
    this.#end = MARGIN + original.length
  }

  /** One change: a byte, a piece put in or over, a part taken out, doubled, or replaced by another message's. */
  break(random: Random, other: Uint8Array): void {
    const at = MARGIN + random.below(this.#end - MARGIN + 1)
    const length = Math.min(random.below(random.oneIn(4) ? 200 : 4), this.#end - at)
    switch (random.below(7)) {
      case 0:
        if (at < this.#end) this.#bytes[at] = random.below(256)
        return
      case 1:
        return this.#replace(at, at, random.pick(PIECES))
      case 2:
        return this.#replace(at, at + length, random.pick(PIECES))
      case 3:
        return this.#replace(at, at + length, other.subarray(0, 0))
      case 4:
        return this.#replace(at, at, this.#bytes.slice(at, at + length))
      case 5: {
        const from = random.below(other.length)
        return this.#replace(at, at + length, other.subarray(from, from + random.below(60)))
      }
      default:
        if (random.oneIn(4)) this.#end = at
    }
  }

  check(random: Random): void {
    try {
      const result = this.#scan(this.#message, '\r\n: ')
      if (random.oneIn(4)) this.#compare(result, this.#scan(this.#again, 'x'))
      if (result === Scan.request || result === Scan.response) {
        this.tally.understood++
        checkOffsets(this.#message)
        this.#checkEdited(random, result)
      } else if (result === Scan.badRequest) {
        this.tally.answerable++
        checkAnswerable(this.#message)
      } else this.tally.dropped++
    } catch (cause) {
      const datagram = String.fromCharCode(...this.#bytes.subarray(MARGIN, this.#end))
      throw new Error(`does not hold for ${JSON.stringify(datagram)}`, { cause })
    }
  }

  #replace(from: number, to: number, piece: Uint8Array): void {
    if (this.#end + piece.length > MARGIN + MESSAGE_BYTES_MAX) return
    this.#bytes.copyWithin(from + piece.length, to, this.#end)
    this.#bytes.set(piece, from)
    this.#end += piece.length - (to - from)
  }

  #scan(message: Message, around: string): Scan {
    for (let i = 0; i < MARGIN; i++) {
      const byte = around.charCodeAt(i % around.length)
      this.#bytes[i] = byte
      this.#bytes[this.#end + i] = byte
    }
    return scan(message, this.#bytes, MARGIN, this.#end)
  }

  #compare(result: Scan, again: Scan): void {
    demand(result === again, 'what stands around the datagram changes the result')
    const a = this.#message as unknown as Record<string, unknown>
    const b = this.#again as unknown as Record<string, unknown>
    for (const name of Object.keys(a)) {
      if (typeof a[name] !== 'object')
        demand(a[name] === b[name], `${name} depends on what is around`)
    }
  }

  /** What a balancer does to a message, in one go; the other side of it must understand what comes out. */
  #checkEdited(random: Random, result: Scan): void {
    const message = this.#message
    const routes = random.below(message.routeCount + 1)
    const edits = this.#edits
    edits.clear()
    removeRoutes(edits, message, routes)
    insert(edits, message.headersStart, OUR_PATH)
    insert(edits, message.headersStart, OUR_VIA)
    if (message.maxForwardsStart >= 0) {
      edits.begin(message.maxForwardsStart, message.maxForwardsEnd)
      edits.number(Math.max(0, message.maxForwards - 1))
      edits.end()
    }
    if (message.via.rportStart >= 0) edits.remove(message.via.rportStart, message.via.rportEnd)
    if (message.via.receivedStart >= 0)
      edits.remove(message.via.receivedStart, message.via.receivedEnd)
    insert(edits, message.via.valueEnd, asText(';rport=1;received=192.0.2.1'))
    const length = edits.apply(message, this.#out, 0, this.#out.length)
    demand(length > 0, 'the edits do not apply')
    const after = this.#again
    demand(scan(after, this.#out, 0, length) === result, 'the edited message is not understood')
    demand(after.viaCount === message.viaCount + 1, 'our Via is not seen')
    demand(after.routeCount === message.routeCount - routes, 'the wrong routes are gone')
    demand(after.end - after.bodyStart === message.end - message.bodyStart, 'the body changed')
  }
}

function insert(edits: Edits, at: number, text: Text): void {
  edits.begin(at, at)
  edits.text(text)
  edits.end()
}

function checkAnswerable(message: Message): void {
  for (const [start, end] of [
    [message.fromStart, message.fromEnd],
    [message.toStart, message.toEnd],
    [message.callIdStart, message.callIdEnd],
    [message.cseqStart, message.cseqEnd],
    [message.methodStart, message.methodEnd],
    [message.via.valueStart, message.via.valueEnd],
  ] as const) {
    demand(start >= 0, 'something that an answer needs is absent')
    checkRange(message, start, end, 'answer')
  }
  checkViaLines(message)
}

function checkOffsets(message: Message): void {
  const { via } = message
  const headersEnd = message.bodyStart
  demand(message.start >= MARGIN && message.start < message.headersStart, 'start')
  demand(message.headersStart < headersEnd && headersEnd <= message.end, 'bodyStart')
  checkPairs(message, message as unknown as Record<string, unknown>)
  checkPairs(message, via as unknown as Record<string, unknown>)
  demand(via.lineStart <= via.valueStart && via.valueEnd <= via.lineEnd, 'via line')
  demand(via.hostStart > via.transportEnd && via.transportStart > via.valueStart, 'via order')
  checkUri(message, message.uri)
  checkUri(message, message.toUri)
  for (let i = 0; i < message.routeCount; i++) {
    const route = message.routes[i]!
    demand(route.lineStart <= route.valueStart && route.valueEnd <= route.lineEnd, 'route line')
    checkRange(message, route.lineStart, route.lineEnd, 'route')
    checkUri(message, route.uri)
    demand(route.uri.start > route.valueStart && route.uri.end < route.valueEnd, 'route uri')
    const before = message.routes[i - 1]
    if (before) demand(before.valueEnd < route.valueStart, 'route order')
  }
  checkViaLines(message)
}

/** Every `xStart` with its `xEnd`: both absent, or in order and inside the header section. */
function checkPairs(message: Message, view: Record<string, unknown>): void {
  for (const name of Object.keys(view)) {
    if (!name.endsWith('Start') || name === 'bodyStart' || name === 'headersStart') continue
    checkRange(message, view[name] as number, view[name.replace('Start', 'End')] as number, name)
  }
}

function checkUri(message: Message, uri: UriView): void {
  checkPairs(message, uri as unknown as Record<string, unknown>)
  checkRange(message, uri.start, uri.end, 'uri')
  demand(uri.port >= 0 && uri.port <= 65535, 'port')
  for (const [start, end] of [
    [uri.userStart, uri.userEnd],
    [uri.hostStart, uri.hostEnd],
    [uri.paramsStart, uri.paramsEnd],
  ] as const) {
    demand(start < 0 || (start < end && start >= uri.start && end <= uri.end), 'uri part')
  }
}

function checkViaLines(message: Message): void {
  for (let i = 0; i < message.viaLineCount; i++) {
    checkRange(message, message.viaLines[2 * i]!, message.viaLines[2 * i + 1]!, 'via line')
  }
}

function checkRange(message: Message, start: number, end: number, name: string): void {
  if (start === -1 && end === -1) return
  demand(start >= message.start && start <= end && end <= message.end, name)
}

function demand(holds: boolean, what: string): void {
  if (!holds) throw new Error(what)
}
