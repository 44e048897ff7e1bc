import { createHash } from 'node:crypto'
import { isIP } from 'node:net'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { canonicalJson } from './canonical-json.ts'
import { MEMBERS_MAX, TABLE_LENGTH_MAX } from './limits.ts'
import { decodeSlots, encodeSlots } from './slot-array.ts'
import { MemberState, NO_MEMBER, newerTable, type Table, type TableContent } from './table.ts'
import { sampleMember, sampleTable } from './table.fixture.ts'
import { decodeTable, TableErrorCode } from './table-decode.ts'
import { encodeTable, sealTable } from './table-encode.ts'

type Document = Record<string, unknown>

const documentOf = (content: TableContent): Document => JSON.parse(encodeTable(content))

/** A document with the checksum it deserves, whatever else is wrong with it. */
function signed(signedAlready: Document): string {
  const { sha256: _old, ...document } = signedAlready
  const sha256 = createHash('sha256').update(canonicalJson(document, 16)).digest('hex')
  return JSON.stringify({ ...document, sha256 })
}

describe('encode and decode', () => {
  test('a table survives the round trip, with its checksum', () => {
    const table = sampleTable(64, 3, { previous: new Uint16Array(64).fill(2) })
    expect(decodeTable(encodeTable(table))).toEqual({ ok: true, table: sealTable(table) })
  })

  test('so does every table', () => {
    fc.assert(
      fc.property(arbitraryTable(), (table) => {
        expect(decodeTable(encodeTable(table))).toEqual({ ok: true, table: sealTable(table) })
      }),
      { numRuns: 300 },
    )
  })

  test('the checksum is that of the RFC 8785 document without it', () => {
    const { sha256, ...rest } = documentOf(sampleTable())
    expect(sha256).toBe(createHash('sha256').update(canonicalJson(rest, 16)).digest('hex'))
  })

  test('the same content gives the same text, in whatever order it was put together', () => {
    const table = sampleTable()
    const reversed = Object.fromEntries(Object.entries(table).reverse()) as unknown as TableContent
    expect(encodeTable(reversed)).toBe(encodeTable(table))
  })

  test('another spelling of the same document is as good', () => {
    const document = documentOf(sampleTable())
    const spelt = JSON.stringify(Object.fromEntries(Object.entries(document).reverse()), null, 2)
    expect(decodeTable(spelt).ok).toBe(true)
  })

  test('fields of a later version are ignored, but the checksum covers them', () => {
    const document = { ...documentOf(sampleTable()), shard: { of: 2 } }
    expect(decodeTable(signed(document))).toMatchObject({ ok: true })
    expect(decodeTable(JSON.stringify(document))).toMatchObject({
      error: { code: TableErrorCode.badChecksum },
    })
  })

  test('65536 slots and 1000 members, previous owners included, stay below 700 kB', () => {
    const { owners } = sampleTable(65536, 1000)
    const text = encodeTable(sampleTable(65536, 1000, { previous: owners }))
    expect(text.length).toBeLessThan(700_000)
    expect(decodeTable(text).ok).toBe(true)
  })

  test('the largest pool with the longest names, two addresses a node and full lists fits a ConfigMap', () => {
    const members = Array.from({ length: MEMBERS_MAX }, (_, i) => {
      const name = `registrar-${i}`.padEnd(63, '-x')
      const address = `2001:db8:aaaa:bbbb:cccc:dddd:eeee:${(4096 + i).toString(16)}`
      return {
        ...sampleMember(i),
        id: name,
        name,
        address,
        hostAddresses: [address, '10.100.100.100'],
      }
    })
    const former = members.map(({ address }) => ({
      address,
      port: 65535,
      until: '2026-11-24T08:00:00.000Z',
    }))
    const domains = Array.from({ length: 256 }, (_, i) => `${i}`.padEnd(253, '.example'))
    const text = encodeTable(sampleTable(65536, MEMBERS_MAX, { members, former, domains }))
    expect(text.length).toBeLessThan(TABLE_LENGTH_MAX)
    expect(decodeTable(text).ok).toBe(true)
  })

  test('a table that nobody owns is a table', () => {
    const nobody = new Uint16Array(64).fill(NO_MEMBER)
    const table = sampleTable(64, 1, { members: [], owners: nobody, backups: nobody })
    expect(decodeTable(encodeTable(table))).toMatchObject({ ok: true })
  })
})

describe('slots as text', () => {
  test('are base64 of little-endian u16', () => {
    expect(encodeSlots(Uint16Array.of(0, 1, 0x0203, NO_MEMBER))).toBe('AAABAAMC//8=')
  })

  test.each([
    ['white space', 'AAAB AAMC//8='],
    ['no padding', 'AAABAAMC//8'],
    ['the URL alphabet', 'AAABAAMC__8='],
    ['bits after the end', 'AAABAAMC//9='],
    ['white space for a group', '    AAABAAMC'],
    ['another length', 'AAABAAMC//8AAAA='],
    ['nothing', ''],
  ])('with %s are refused', (_, text) => {
    expect(decodeSlots(text, 4)).toBe(null)
  })
})

describe('refusals name the field', () => {
  const rows: readonly (readonly [string, Document, TableErrorCode])[] = [
    ['table.uid', { uid: '' }, TableErrorCode.badField],
    ['table.name', { name: null }, TableErrorCode.badField],
    ['table.generation', { generation: -1 }, TableErrorCode.badField],
    ['table.epoch', { epoch: 1.5 }, TableErrorCode.badField],
    ['table.objectCreated', { objectCreated: '2026-11-23 08:00' }, TableErrorCode.badField],
    ['table.seed', { seed: 'AB'.repeat(32) }, TableErrorCode.badField],
    ['table.key', { key: 'toString' }, TableErrorCode.badField],
    ['table.signingKey', { signingKey: 256 }, TableErrorCode.badField],
    ['table.addresses[1]', { addresses: ['10.0.0.1', 'sip.example.com'] }, TableErrorCode.badField],
    ['table.port', { port: 65536 }, TableErrorCode.badField],
    ['table.panicPercent', { panicPercent: 101 }, TableErrorCode.badField],
    ['table.slots', { slots: 96 }, TableErrorCode.badField],
    ['table.slots', { slots: 32 }, TableErrorCode.badField],
    ['table.owners', { owners: 'AAAA' }, TableErrorCode.badField],
    ['table.owners', { owners: encodeSlots(new Uint16Array(64).fill(3)) }, TableErrorCode.badField],
    ['table.previous', { previous: null }, TableErrorCode.badField],
    ['table.members', { members: [sampleMember(1), sampleMember(1)] }, TableErrorCode.badField],
    [
      'table.members[0].weight',
      { members: [{ ...sampleMember(0), weight: 0 }] },
      TableErrorCode.badField,
    ],
    [
      'table.members[0].state',
      { members: [{ ...sampleMember(0), state: 'up' }] },
      TableErrorCode.badField,
    ],
    ['table.former', { former: Array(1025).fill({}) }, TableErrorCode.badField],
    ['table.edge', { edge: [] }, TableErrorCode.badField],
    ['table.probe.intervalMs', { probe: {} }, TableErrorCode.badField],
    ['schema', { schema: 2 }, TableErrorCode.unsupported],
    ['hash', { hash: 'siphash-1-3' }, TableErrorCode.unsupported],
    ['sha256', { sha256: '0'.repeat(64) }, TableErrorCode.badChecksum],
  ]
  test.each(rows)('%s', (field, changes, code) => {
    const document = { ...documentOf(sampleTable()), ...changes }
    const text = 'sha256' in changes ? JSON.stringify(document) : signed(document)
    const decoded = decodeTable(text)
    expect(decoded).toMatchObject({ error: { code, message: expect.stringContaining(field) } })
  })

  test.each([
    ['nothing', '', TableErrorCode.notJson],
    ['half a document', encodeTable(sampleTable()).slice(0, 500), TableErrorCode.notJson],
    ['no object', '[]', TableErrorCode.badField],
    ['null', 'null', TableErrorCode.badField],
    ['too much', ' '.repeat(1024 * 1024 + 1), TableErrorCode.tooLong],
    ['a lone surrogate', signedText('"shard":"\\ud800"'), TableErrorCode.badField],
    ['deep nesting', signedText(`"shard":${'['.repeat(9e4)}${']'.repeat(9e4)}`), 'bad-field'],
    ['its own prototype', signedText('"__proto__":{"uid":"x"}'), TableErrorCode.badChecksum],
  ])('%s', (_, text, code) => {
    expect(decodeTable(text)).toMatchObject({ ok: false, error: { code } })
  })
})

describe('any text at all', { timeout: 30_000 }, () => {
  test('mutated 95000 times as text: never throws, and no wrong checksum gets in', () => {
    const original = encodeTable(sampleTable())
    const random = prng(1)
    let accepted = 0
    for (let run = 0; run < 95_000; run++) {
      const text = mutateText(original, random)
      const decoded = decodeTable(text)
      if (!decoded.ok) continue
      expectInvariants(decoded.table, text)
      accepted++
    }
    // A piece replaced by itself, or a number spelt with a zero more.
    expect(accepted).toBeLessThan(5000)
  })

  test('mutated 5000 times as a document with the right checksum: accepted only if valid', () => {
    const original = documentOf(sampleTable())
    const keys = Object.keys(original)
    const random = prng(2)
    let accepted = 0
    for (let run = 0; run < 5_000; run++) {
      const document = structuredClone(original)
      const key = keys[random(keys.length)] ?? 'owners'
      document[key] = mutateValue(document[key], random)
      const text = signed(document)
      const decoded = decodeTable(text)
      if (!decoded.ok) continue
      expectInvariants(decoded.table, text)
      accepted++
    }
    expect(accepted).toBeGreaterThan(150)
  })
})

describe('order', () => {
  const table = { uid: 'a', epoch: 7, objectCreated: '2026-11-23T08:00:00.000Z' }
  test.each([
    ['a later epoch', { ...table, epoch: 8 }, true],
    ['the same table', table, false],
    ['an earlier epoch', { ...table, epoch: 6 }, false],
    [
      'a later object with an earlier epoch',
      { uid: 'b', epoch: 1, objectCreated: '2026-11-23T08:00:00.001Z' },
      true,
    ],
    ['another object of the same time', { ...table, uid: 'b', epoch: 99 }, false],
    [
      'a deleted object, back from the dead',
      { uid: 'b', epoch: 99, objectCreated: '2026-11-22T23:59:59.999Z' },
      false,
    ],
    [
      'the same object with another time: the epoch decides',
      { ...table, epoch: 8, objectCreated: '2026-01-01T00:00:00.000Z' },
      true,
    ],
  ])('%s', (_, candidate, expected) => {
    expect(newerTable(candidate, table)).toBe(expected)
  })
})

function signedText(field: string): string {
  return encodeTable(sampleTable()).replace('{', `{${field},`)
}

/** Checked without the decoder's own means. */
function expectInvariants(table: Table, text: string): void {
  const { sha256, ...document } = JSON.parse(text)
  const checksum = createHash('sha256').update(canonicalJson(document, 16)).digest('hex')
  expect([sha256, table.sha256]).toEqual([checksum, checksum])
  const { slots, owners, backups, members } = table
  const arrays = [owners, backups, table.previous ?? owners]
  expect({
    slots: slots >= 64 && slots <= 65536 && Number.isInteger(Math.log2(slots)),
    sizes: arrays.every(({ length }) => length === slots),
    indices: arrays.every((list) => list.every((i) => i === NO_MEMBER || i < members.length)),
    ids: new Set(members.map(({ id }) => id)).size === members.length,
    addresses: members.every(({ address }) => isIP(address) > 0),
    ports: members.every(({ port }) => Number.isInteger(port) && port >= 1 && port <= 65535),
    weights: members.every(({ weight }) => Number.isInteger(weight) && weight >= 1),
  }).toEqual({
    slots: true,
    sizes: true,
    indices: true,
    ids: true,
    addresses: true,
    ports: true,
    weights: true,
  })
}

function arbitraryTable(): fc.Arbitrary<TableContent> {
  const text = fc.string({ minLength: 1, maxLength: 20, unit: 'grapheme' })
  const count = fc.nat()
  const time = fc.date({ noInvalidDate: true, min: new Date(0), max: new Date(4e12) })
  const iso = time.map((date) => date.toISOString())
  const member = fc.record({
    id: text,
    name: text,
    address: fc.oneof(fc.ipV4(), fc.ipV6()),
    port: fc.integer({ min: 1, max: 65535 }),
    hostAddresses: fc.array(fc.ipV6(), { maxLength: 2 }),
    weight: fc.integer({ min: 1, max: 1000 }),
    state: fc.constantFrom(...Object.values(MemberState)),
    since: iso,
  })
  const members = fc.uniqueArray(member, { selector: ({ id }) => id, maxLength: 6 })
  return fc
    .tuple(members, fc.constantFrom(64, 128), fc.infiniteStream(fc.nat(0xffff)))
    .chain(([list, slots, stream]) => {
      const indices = () =>
        Uint16Array.from({ length: slots }, () => {
          const index = stream.next().value % (list.length + 1)
          return index === list.length ? NO_MEMBER : index
        })
      return fc.record({
        uid: text,
        epoch: count,
        generation: count,
        objectCreated: iso,
        aliases: fc.array(text, { maxLength: 3 }),
        removed: fc.boolean(),
        members: fc.constant(list),
        slots: fc.constant(slots),
        owners: fc.constant(indices()),
        backups: fc.constant(indices()),
      })
    })
    .map((changes) => sampleTable(changes.slots, 3, changes))
}

/** mulberry32: same seed, same numbers. */
function prng(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) % below
  }
}

/** One to three changed, lost, doubled or swapped pieces. */
function mutateText(text: string, random: (below: number) => number): string {
  let result = text
  for (let change = random(3); change >= 0; change--) {
    const at = random(result.length)
    const end = Math.min(result.length, at + 1 + random(8))
    const insert = ['', '"', '{', ']', '0', 'é', '\\u0000', result.slice(at, end).repeat(2)]
    result = result.slice(0, at) + (insert[random(insert.length)] ?? '') + result.slice(end)
  }
  return result
}

const ODD_VALUES = [null, true, -1, 0, 1, 2, 1.5, 65536, 2 ** 53, '', 'x', '::1', [], {}, 'Up']

/** The same document with one value somewhere replaced, dropped or exchanged for a neighbour. */
function mutateValue(value: unknown, random: (below: number) => number): unknown {
  if (typeof value !== 'object' || value === null || random(6) === 0) {
    return ODD_VALUES[random(ODD_VALUES.length)]
  }
  const container = value as Record<string, unknown>
  const keys = Object.keys(container)
  const key = keys[random(keys.length)]
  if (key === undefined) return ODD_VALUES[random(ODD_VALUES.length)]
  const other = keys[random(keys.length)] ?? key
  switch (random(8)) {
    case 0:
      if (!Array.isArray(value)) delete container[key]
      return value
    case 1:
      container[key] = container[other]
      return value
    default:
      container[key] = mutateValue(container[key], random)
      return value
  }
}
