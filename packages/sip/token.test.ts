import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatEndpoint, parseEndpointText } from './address.ts'
import { ascii } from './ascii.ts'
import { KeyRing } from './key-ring.ts'
import knownAnswers from './known-answers.json' with { type: 'json' }
import { Message, Scan } from './message.ts'
import { scan } from './scan.ts'
import { readToken, TOKEN_LENGTH_MAX, Token, TokenKind, writeToken } from './token.ts'
import { Writer } from './writer.ts'

const KEY_ID = 1
const CALL_ID = 'a84b4c76e66710@pc33.example.com'
const keys = knownKeys()

describe('tokens', () => {
  it.each(knownAnswers.tokens)('$kind from $flow to $local under key $keyId', (answer) => {
    const { kind, flow, local, member, keyId, callId, text } = answer
    const token = tokenOf(TokenKind[kind as keyof typeof TokenKind], flow, local, member, keyId)
    expect(write(token, callId)).toBe(text)
    expect(read(text, callId)).toEqual(token)
  })

  it('round-trip', () => {
    fc.assert(
      fc.property(arbitraryToken, arbitraryCallId, (token, callId) => {
        const text = write(token, callId)
        expect(read(text, callId)).toEqual(token)
        expect(text).toMatch(/^[A-Za-z0-9_-]{35}$|^[A-Za-z0-9_-]{51}$|^[A-Za-z0-9_-]{67}$/)
        expect(text.length).toBeLessThanOrEqual(TOKEN_LENGTH_MAX)
      }),
    )
  })

  it.each(Object.values(TokenKind))(
    'of kind %i are refused with any bit of the text flipped',
    (kind) => {
      for (const [flow, local] of FAMILIES) {
        const text = write(tokenOf(kind, flow, local, 5), CALL_ID)
        for (let bit = 0; bit < text.length * 8; bit++) {
          const bytes = ascii(text)
          bytes[bit >> 3]! ^= 1 << (bit & 7)
          expect(readBytes(bytes, CALL_ID), `bit ${bit}`).toBe(null)
        }
      }
    },
  )

  it.each(Object.values(TokenKind))(
    'of kind %i are refused with any bit of the record flipped',
    (kind) => {
      for (const [flow, local] of FAMILIES) {
        const record = Buffer.from(write(tokenOf(kind, flow, local, 5), CALL_ID), 'base64url')
        for (let bit = 0; bit < record.length * 8; bit++) {
          const forged = Buffer.from(record)
          forged[bit >> 3]! ^= 1 << (bit & 7)
          expect(read(forged.toString('base64url'), CALL_ID), `bit ${bit}`).toBe(null)
        }
      }
    },
  )

  it('are refused when shortened or lengthened', () => {
    const text = write(tokenOf(TokenKind.path, FAMILIES[0]![0], FAMILIES[0]![1], 5), CALL_ID)
    for (let length = 0; length < text.length; length++) {
      expect(read(text.slice(0, length), CALL_ID)).toBe(null)
      expect(read(text.slice(length + 1), CALL_ID)).toBe(null)
    }
    for (const more of ['A', 'AA', 'AAAA', '=', ';lr', text]) {
      expect(read(text + more, CALL_ID)).toBe(null)
    }
  })

  it('of Record-Route are refused in any other call', () => {
    const token = tokenOf(TokenKind.recordRoute, FAMILIES[0]![0], FAMILIES[0]![1], 5)
    const text = write(token, CALL_ID)
    const others = [`${CALL_ID}x`, `x${CALL_ID}`, CALL_ID.slice(1), CALL_ID.slice(0, -1), 'x']
    for (let i = 0; i < CALL_ID.length; i++) {
      others.push(`${CALL_ID.slice(0, i)}~${CALL_ID.slice(i + 1)}`)
    }
    for (const other of others) expect(read(text, other)).toBe(null)
    expect(read(text, CALL_ID)).toEqual(token)
  })

  it('of Path are good in every call', () => {
    const token = tokenOf(TokenKind.path, FAMILIES[0]![0], FAMILIES[0]![1], 0)
    expect(read(write(token, CALL_ID), 'other')).toEqual(token)
  })

  it('of one kind never pass for another, Via flows among them', () => {
    for (const text of [...knownAnswers.tokens, ...knownAnswers.viaFlows].map(({ text }) => text)) {
      const record = Buffer.from(text, 'base64url')
      for (let kind = 0; kind < 16; kind++) {
        if (kind === record[0]! >> 4) continue
        const forged = Buffer.from(record)
        forged[0] = (kind << 4) | (record[0]! & 15)
        for (const { callId } of knownAnswers.tokens) {
          expect(read(forged.toString('base64url'), callId)).toBe(null)
        }
      }
    }
    for (const { text, callId } of knownAnswers.viaFlows) expect(read(text, callId)).toBe(null)
  })

  it('are refused under another key, and under another id of the same secret', () => {
    const twins = new KeyRing()
    twins.add(1, new Uint8Array(16).fill(1))
    twins.add(2, new Uint8Array(16).fill(1))
    const token = tokenOf(TokenKind.path, FAMILIES[0]![0], FAMILIES[0]![1], 5)
    const record = Buffer.from(write(token, CALL_ID, twins), 'base64url')
    expect(read(record.toString('base64url'), CALL_ID, twins)).toEqual(token)
    expect(read(record.toString('base64url'), CALL_ID, keys)).toBe(null)
    record[1] = 2
    expect(read(record.toString('base64url'), CALL_ID, twins)).toBe(null)
  })

  it('are neither written nor read with a key that the ring lacks', () => {
    const token = tokenOf(TokenKind.path, FAMILIES[0]![0], FAMILIES[0]![1], 5)
    const text = write(token, CALL_ID)
    expect(read(text, CALL_ID, new KeyRing())).toBe(null)
    const writer = new Writer(new Uint8Array(100))
    expect(writeToken(token, new KeyRing(), messageOf(CALL_ID, ''), writer)).toBe(false)
    expect(writer.at).toBe(0)
  })

  it('leave the Token as it was when refused', () => {
    const token = tokenOf(TokenKind.recordRoute, FAMILIES[2]![0], FAMILIES[1]![1], 77)
    const text = write(tokenOf(TokenKind.recordRoute, FAMILIES[0]![0], FAMILIES[0]![1], 5), CALL_ID)
    const before = structuredClone(token)
    const message = messageOf('other', text)
    expect(readToken(token, keys, message, message.uri.userStart, message.uri.userEnd)).toBe(false)
    expect(structuredClone(token)).toEqual(before)
  })

  it('of any bytes at all are refused without a throw', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        expect(readBytes(bytes, CALL_ID)).toBe(null)
      }),
    )
    const message = messageOf(CALL_ID, 'user')
    expect(readToken(new Token(), keys, message, -1, -1)).toBe(false)
  })
})

/** Phone and our address, in all four pairs of IP versions. */
const FAMILIES: readonly (readonly [string, string])[] = [
  ['198.51.100.7:31000', '203.0.113.10:5060'],
  ['198.51.100.7:31000', '[2001:db8:a::10]:5060'],
  ['[2001:db8::7]:5062', '203.0.113.10:5060'],
  ['[2001:db8::7]:5062', '[2001:db8:a::10]:5060'],
]

const word = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })
const address = fc.oneof(
  fc.tuple(fc.constant(0), fc.constant(0), fc.constant(0xffff), word),
  fc.tuple(word, word, word, word),
)
const endpoint = fc
  .tuple(address, fc.integer({ min: 0, max: 65535 }))
  .map(([words, port]) => [...words, port])
const arbitraryToken = fc
  .record({
    kind: fc.constantFrom(...Object.values(TokenKind)),
    flow: endpoint,
    local: endpoint,
    member: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
    keyId: fc.constantFrom(...knownAnswers.keys.map(({ id }) => id)),
  })
  .map(({ kind, flow, local, member, keyId }) => {
    const token = Object.assign(new Token(), { kind, member, keyId })
    token.flow.set(flow)
    token.local.set(local)
    return token
  })
const arbitraryCallId = fc.stringMatching(/^[!-~]{1,80}$/)

function knownKeys(): KeyRing {
  const ring = new KeyRing()
  for (const { id, secret } of knownAnswers.keys) ring.add(id, Buffer.from(secret, 'hex'))
  return ring
}

function tokenOf(
  kind: TokenKind,
  flow: string,
  local: string,
  member: number,
  keyId = KEY_ID,
): Token {
  const token = Object.assign(new Token(), { kind, member, keyId })
  expect(parseEndpointText(flow, token.flow, 0)).toBe(true)
  expect(parseEndpointText(local, token.local, 0)).toBe(true)
  expect(formatEndpoint(token.flow, 0)).toBe(flow)
  return token
}

/** A request whose Request-URI has `user` as its user part, where a token may stand. */
function messageOf(callId: string, user: string): Message {
  const message = new Message()
  const text = `BYE sip:${user}@h SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nFrom: <sip:a@h>;tag=1\r\nTo: <sip:b@h>\r\nCall-ID: ${callId}\r\nCSeq: 1 BYE\r\n\r\n`
  const bytes = Buffer.from(text, 'latin1')
  expect([Scan.request, Scan.badRequest]).toContain(scan(message, bytes, 0, bytes.length))
  return message
}

function write(token: Token, callId: string, ring = keys): string {
  const writer = new Writer(new Uint8Array(200))
  expect(writeToken(token, ring, messageOf(callId, 'u'), writer)).toBe(true)
  return Buffer.from(writer.bytes.subarray(0, writer.at)).toString('latin1')
}

function read(text: string, callId: string, ring = keys): Token | null {
  return readBytes(Buffer.from(text, 'latin1'), callId, ring)
}

/** The token that stands alone, at no offset in particular, in a message with this Call-ID. */
function readBytes(text: Uint8Array, callId: string, ring = keys): Token | null {
  const message = messageOf(callId, 'u')
  const at = message.bytes.length
  message.bytes = Buffer.concat([message.bytes, text, Buffer.from('@')])
  message.view = new DataView(message.bytes.buffer, message.bytes.byteOffset)
  const token = new Token()
  return readToken(token, ring, message, at, at + text.length) ? token : null
}
