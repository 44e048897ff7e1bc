import { expect, test } from 'vitest'
import { isoTime } from './iso-time.ts'
import { encodeKeys, type KeyStepInput, type MacKey, parseKeys, stepKeys } from './keys.ts'

const DAY_MS = 24 * 3_600_000
const START_MS = Date.parse('2026-11-23T09:00:00.000Z')

function step(input: Partial<KeyStepInput>) {
  return stepKeys({
    keys: [],
    acceptedKeyIds: [],
    namedByTables: new Set(),
    nowMs: START_MS,
    newSecret: () => '00112233445566778899aabbccddeeff',
    ...input,
  })
}

function key(id: number, times: Partial<MacKey> = {}): MacKey {
  return { id, secret: '0'.repeat(32), created: isoTime(START_MS), ...times }
}

const signing = { signingSince: isoTime(START_MS) }

test('the first key signs at once: nobody could accept it before', () => {
  const { keys, signingKey, news } = step({})
  expect(signingKey).toBe(1)
  expect(keys).toHaveLength(1)
  expect(news.map(({ event }) => event)).toEqual(['KeyCreated', 'KeySigning'])
})

test('a key made anew never has an id that tables or balancers still know', () => {
  expect(step({ namedByTables: new Set([4]), acceptedKeyIds: [[4, 5]] }).signingKey).toBe(6)
  expect(step({ namedByTables: new Set([255]) }).signingKey).toBe(0)
})

test('of keys that somebody provided, the one that tables name signs', () => {
  expect(step({ keys: [key(1), key(2)], namedByTables: new Set([2]) }).signingKey).toBe(2)
})

test('nothing changes while the key is young', () => {
  const keys = [key(1, signing)]
  expect(step({ keys, nowMs: START_MS + DAY_MS }).keys).toEqual(keys)
  expect(step({ keys, nowMs: START_MS + DAY_MS }).news).toEqual([])
})

test('an old key gets a successor, which signs only when every fresh balancer accepts it', () => {
  let nowMs = START_MS + 31 * DAY_MS
  const made = step({ keys: [key(1, signing)], nowMs })
  expect(made.signingKey).toBe(1)
  expect(made.keys.map(({ id }) => id)).toEqual([1, 2])

  nowMs += 60_000
  const waiting = { keys: made.keys, nowMs }
  expect(step({ ...waiting, acceptedKeyIds: [] }).signingKey).toBe(1)
  expect(step({ ...waiting, acceptedKeyIds: [[1, 2], [1]] }).signingKey).toBe(1)
  const promoted = step({
    ...waiting,
    acceptedKeyIds: [
      [1, 2],
      [1, 2],
    ],
  })
  expect(promoted.signingKey).toBe(2)
  expect(promoted.keys[0]?.retired).toBe(isoTime(nowMs))
})

test('a key that no longer signs is accepted for a day, and as long as a table names it', () => {
  const keys = [key(1, { ...signing, retired: isoTime(START_MS) }), key(2, signing)]
  const ids = (input: Partial<KeyStepInput>) => step({ keys, ...input }).keys.map(({ id }) => id)
  expect(ids({ nowMs: START_MS + DAY_MS - 1 })).toEqual([1, 2])
  expect(ids({ nowMs: START_MS + DAY_MS })).toEqual([2])
  expect(ids({ nowMs: START_MS + DAY_MS, namedByTables: new Set([1]) })).toEqual([1, 2])
})

test('keys.json comes back as it was written', () => {
  const { keys } = step({})
  expect(parseKeys(encodeKeys(keys))).toEqual(keys)
})

test.each([
  ['', 'nothing'],
  ['{"keys":', 'half a file'],
  ['{"keys":[]}', 'no key'],
  ['{"keys":[{"id":1}]}', 'no secret'],
  [
    `{"keys":[{"id":256,"secret":"${'0'.repeat(32)}","created":"2026-01-01T00:00:00Z"}]}`,
    'an id out of range',
  ],
])('%s is no keys.json: %s', (text) => {
  expect(parseKeys(text)).toBeNull()
})
