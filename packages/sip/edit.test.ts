import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { asText } from './ascii.ts'
import { EDITS_MAX, Edits, removeRoutes, removeTopVia } from './edit.ts'
import { Message, Scan } from './message.ts'
import { scan } from './scan.ts'
import { Random } from './torture/random.fixture.ts'
import { bytesOf, fieldsOf, read, textOf } from './torture/reading.fixture.ts'
import { invite, response } from './torture/rows.fixture.ts'
import { spell } from './torture/spellings.fixture.ts'

interface Change {
  readonly from: number
  readonly to: number
  readonly content: string
}

/** The obvious twin: strings, one edit after the other from the end. */
function applied(text: string, changes: readonly Change[]): string {
  const order = changes
    .map((change, call) => ({ ...change, call }))
    .toSorted(
      (a, b) =>
        b.from - a.from || Number(a.from !== b.to) - Number(b.from !== a.to) || b.call - a.call,
    )
  return order.reduce(
    (rest, { from, to, content }) => rest.slice(0, from) + content + rest.slice(to),
    text,
  )
}

function edit(edits: Edits, { from, to, content }: Change, base: number): void {
  edits.begin(base + from, base + to)
  edits.text(asText(content))
  edits.end()
}

/** Applies `edits` to another array, with room for `room` bytes. */
function apply(edits: Edits, message: Message, room = 4000): string | null {
  const out = new Uint8Array(room + 20).fill(0xee)
  const length = edits.apply(message, out, 10, 10 + room)
  expect(out.subarray(0, 10).every((byte) => byte === 0xee)).toBe(true)
  expect(out.subarray(10 + Math.max(length, room)).every((byte) => byte === 0xee)).toBe(true)
  return length < 0 ? null : textOf(out, 10, 10 + length)
}

/** Changes that don't overlap, in any order of calls: cuts of the text, every other piece between two is replaced. */
const changes = fc
  .tuple(
    fc.array(fc.nat(200), { maxLength: 20 }),
    fc.infiniteStream(fc.string({ unit: fc.constantFrom(...'ab\r\n'), maxLength: 50 })),
    fc.infiniteStream(fc.boolean()),
    fc.integer(),
  )
  .map(([cuts, contents, isInsertion, seed]) => {
    const random = new Random(seed)
    const sorted = cuts.toSorted((a, b) => a - b)
    const made: Change[] = []
    for (let i = 0; i + 1 < sorted.length; i += 2) {
      const content = contents.next().value
      const [from, to] = [sorted[i]!, sorted[i + 1]!]
      made.push({ from, to: isInsertion.next().value ? from : to, content })
      if (random.oneIn(3)) made.push({ from, to: from, content: contents.next().value })
    }
    return made
      .map((change) => ({ change, key: random.below(1e6) }))
      .toSorted((a, b) => a.key - b.key)
      .map(({ change }) => change)
  })

describe('edits', () => {
  const text = invite('+X: '.padEnd(100, 'x'))
  const edits = new Edits(8000)

  test('are what string replacement does, in whatever order they were made', () => {
    fc.assert(
      fc.property(changes, (made) => {
        const { message } = read(text)
        edits.clear()
        for (const change of made) edit(edits, change, message.start)
        expect(apply(edits, message)).toBe(applied(text, made))
      }),
      { numRuns: 1000 },
    )
  })

  test('come out the same inside the array of the message', () => {
    fc.assert(
      fc.property(changes, fc.boolean(), (made, isBehind) => {
        const arena = new Uint8Array(8000).fill(0xee)
        const at = isBehind ? 100 : 6000
        const outAt = isBehind ? 3000 : 50
        arena.set(bytesOf(text), at)
        const message = new Message()
        expect(scan(message, arena, at, at + text.length)).toBe(Scan.request)
        edits.clear()
        for (const change of made) edit(edits, change, at)
        const length = edits.apply(message, arena, outAt, outAt + 2500)
        expect(textOf(arena, outAt, outAt + length)).toBe(applied(text, made))
        expect(textOf(arena, at, at + text.length)).toBe(text)
        expect([arena[outAt - 1], arena[outAt + length]]).toEqual([0xee, 0xee])
      }),
      { numRuns: 300 },
    )
  })

  test('without any, the message is copied', () => {
    edits.clear()
    expect(apply(edits, read(text).message)).toBe(text)
  })

  test('what is beyond Content-Length is not', () => {
    edits.clear()
    expect(apply(edits, read(`\r\n${text}surplus`).message)).toBe(text)
  })

  test('an output with too little room is refused, at every length', () => {
    const { message } = read(text)
    const made = [
      { from: 5, to: 5, content: 'inserted' },
      { from: 40, to: 90, content: 'short' },
    ]
    edits.clear()
    for (const change of made) edit(edits, change, message.start)
    const whole = applied(text, made)
    for (let room = 0; room < whole.length; room++) expect(apply(edits, message, room)).toBe(null)
    expect(apply(edits, message, whole.length)).toBe(whole)
  })

  test('two insertions at one place keep the order of their calls, before a replacement that begins there', () => {
    const { message } = read(text)
    edits.clear()
    for (const [to, content] of [
      [6, 'replaced'],
      [0, '1'],
      [0, '2'],
    ] as const) {
      edit(edits, { from: 0, to, content }, message.start)
    }
    expect(apply(edits, message)).toBe(`12replaced${text.slice(6)}`)
  })

  test('overlapping ones are refused', () => {
    const { message } = read(text)
    edits.clear()
    edits.remove(message.start + 10, message.start + 20)
    edits.remove(message.start + 19, message.start + 30)
    expect(apply(edits, message)).toBe(null)
    edits.clear()
    edits.remove(message.start + 10, message.start + 20)
    edit(edits, { from: 15, to: 15, content: 'x' }, message.start)
    expect(apply(edits, message)).toBe(null)
  })

  test('those that reach beyond the message are refused', () => {
    const { message } = read(text)
    edits.clear()
    edits.remove(message.end - 1, message.end + 1)
    expect(apply(edits, message)).toBe(null)
    edits.clear()
    edits.remove(message.start - 1, message.start)
    expect(apply(edits, message)).toBe(null)
  })

  test('too many are refused, and forgotten by clear', () => {
    const { message } = read(text)
    edits.clear()
    for (let i = 0; i < EDITS_MAX; i++) edits.remove(message.start, message.start)
    expect(apply(edits, message)).toBe(text)
    edits.remove(message.start, message.start)
    expect(apply(edits, message)).toBe(null)
    edits.clear()
    expect(apply(edits, message)).toBe(text)
  })

  test('too long ones are refused, and forgotten by clear', () => {
    const { message } = read(text)
    const small = new Edits(10)
    edit(small, { from: 0, to: 0, content: '12345678901' }, message.start)
    expect(apply(small, message)).toBe(null)
    small.clear()
    edit(small, { from: 0, to: 0, content: '1234567890' }, message.start)
    expect(apply(small, message)).toBe(`1234567890${text}`)
  })

  test('content of every kind', () => {
    const { message } = read(text)
    const words = Int32Array.from([0x20010db8, 0, 0, 1, 5060, 0, 0, 0xffff, 0xc0000201, 5070])
    edits.clear()
    edits.begin(message.start, message.end)
    edits.byte(0x41)
    edits.text(asText('scii '))
    edits.number(0)
    edits.number(4294967295)
    edits.slice(message.view, message.start, message.start + 6)
    edits.host(words, 0)
    edits.endpoint(words, 5)
    edits.endpoint(words, 0)
    edits.base64url(new DataView(Uint8Array.of(0xfb, 0xff, 0xfe, 0x01).buffer), 0, 4)
    edits.end()
    expect(apply(edits, message)).toBe(
      'Ascii 04294967295INVITE[2001:db8::1]192.0.2.1:5070[2001:db8::1]:5060-__-AQ',
    )
  })
})

describe('removing routes', () => {
  const edits = new Edits(0)
  const removed = (datagram: string, count: number) => {
    const { message } = read(datagram)
    edits.clear()
    removeRoutes(edits, message, count)
    return apply(edits, message)
  }
  const lines = ['+Route: <sip:a>;x , "b" <sip:b>,<sip:c>', '+Route:\r\n <sip:d>\r\n ,\r\n <sip:e>']

  test.each([
    [0, lines],
    [1, ['+Route: "b" <sip:b>,<sip:c>', lines[1]!]],
    [2, ['+Route: <sip:c>', lines[1]!]],
    [3, [lines[1]!]],
    [4, ['+Route:\r\n <sip:e>']],
    [5, []],
    [6, []],
  ])('%i of five', (count, rest) => {
    expect(removed(invite(...lines), count)).toBe(invite(...rest))
  })

  test('lines with one each go whole, folds too', () => {
    const datagram = invite('^Route: <sip:a>\r\n\t;x', '+Subject: between', '+ROUTE : <sip:b>')
    expect(removed(datagram, 2)).toBe(invite('+Subject: between'))
  })

  test('of any message leaves the others, and every other byte', () => {
    fc.assert(
      fc.property(fc.integer(), fc.nat(6), (seed, count) => {
        const { message } = read(spell(new Random(seed)).datagram)
        const before = fieldsOf(message)
        edits.clear()
        removeRoutes(edits, message, count)
        const after = read(apply(edits, message)!)
        expect(after.message.defect).toBe(0)
        expect(fieldsOf(after.message)).toEqual({ ...before, routes: before.routes.slice(count) })
      }),
      { numRuns: 500 },
    )
  })
})

describe('removing the top Via', () => {
  const edits = new Edits(0)
  const removed = (datagram: string) => {
    const { message } = read(datagram)
    edits.clear()
    removeTopVia(edits, message)
    return apply(edits, message)
  }

  test('takes its line, if it is alone there', () => {
    const datagram = response('+Via: SIP/2.0/UDP second;branch=z9hG4bK2')
    expect(removed(datagram)).toBe(response('-Via', '+Via: SIP/2.0/UDP second;branch=z9hG4bK2'))
  })

  test('leaves the others in its line', () => {
    const datagram = response('Via: SIP/2.0/UDP a;x="," \r\n ,\r\n SIP/2.0/UDP b,SIP/2.0/UDP c')
    expect(removed(datagram)).toBe(response('Via: SIP/2.0/UDP b,SIP/2.0/UDP c'))
  })

  test('and putting it back in front gives the same message', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const { message } = read(spell(new Random(seed)).datagram)
        const before = fieldsOf(message)
        if (before.viaCount === 1) return
        edits.clear()
        removeTopVia(edits, message)
        const rest = apply(edits, message)!
        const firstLine = rest.indexOf('\n') + 1
        const restored = `${rest.slice(0, firstLine)}Via:${before.via.value}\r\n${rest.slice(firstLine)}`
        const after = fieldsOf(read(restored).message)
        expect({ ...after, via: { ...after.via, hasMore: before.via.hasMore } }).toEqual(before)
      }),
      { numRuns: 500 },
    )
  })
})
