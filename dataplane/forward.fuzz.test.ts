/**
 * Broken messages by the hundred thousand through the whole packet path: nothing throws, a datagram leads to at most
 * one, nothing grows beyond our own headers, and nobody hears of it who has no part in it. SIPCAST_MUTATIONS sets how
 * many (1000000 in CI), SIPCAST_SEED which. Not here: what the scanner makes of them (packages/sip/torture).
 */
import { DatagramBatch } from '@sipcast/net'
import { formatEndpoint, RESPONSE_GROWTH_MAX } from '@sipcast/sip'
import { expect, it } from 'vitest'
import { forward } from './forward.ts'
import {
  Balancer,
  bytesOf,
  endpoint,
  OTHER_PHONE,
  PHONE,
  path,
  REGISTRARS,
  recordRoute,
  request,
  SHARED,
  userOf,
} from './forward.fixture.ts'
import { Verdict, verdictNames } from './verdict.ts'

const MUTATIONS = Number(process.env['SIPCAST_MUTATIONS'] ?? 100_000)
const SEED = Number(process.env['SIPCAST_SEED'] ?? 20_261_123)
/** Path or a doubled Record-Route, Supported, our Via, received and rport, Max-Forwards; IPv6 throughout. */
const GROWTH_MAX = 700
/** What mutations are made of: the characters that SIP gives a meaning to. */
const SPICE = bytesOf('\r\n \t:;,<>"@%\\/?=&+[]()*\0\x7f\xff0189aZsip:lr;rport;branch=')

it(`${MUTATIONS} broken messages do no harm`, { timeout: 120_000 }, () => {
  const balancer = new Balancer()
  const shared = balancer.sockets.find(({ words }) => formatEndpoint(words, 0) === SHARED)!
  const random = generator(SEED)
  const bases = baseMessages(balancer).map(bytesOf)
  const senders = [PHONE, REGISTRARS[0]].map((text) => ({ text, words: endpoint(text) }))
  const received = new DatagramBatch(1)
  const sending = new DatagramBatch(1)
  const verdicts = new Map<string, number>()
  const mayHear = new Set<string>([PHONE, OTHER_PHONE, ...REGISTRARS])
  for (let run = 0; run < MUTATIONS; run++) {
    const message = mutate(bases[run % bases.length]!, random)
    const sender = senders[run & 1]!
    received.clear()
    sending.clear()
    received.append(shared.id, sender.words, 0, message)
    balancer.forwarder.nowMs += 1
    const verdict = forward(balancer.forwarder, received, 0, sending)
    const name = verdictNames[verdict]!
    verdicts.set(name, (verdicts.get(name) ?? 0) + 1)
    if (sending.count === 0) continue
    const grown = sending.length[0]! - message.length
    const limit = verdict > Verdict.answerStun ? RESPONSE_GROWTH_MAX : GROWTH_MAX
    const target = formatEndpoint(sending.peer, 0)
    // Plain conditions, since a million calls of expect take longer than what they check.
    if (sending.count > 1 || grown > limit || !mayHear.has(target)) {
      throw new Error(`run ${run}, seed ${SEED}: ${name} → ${target}, ${grown} bytes more`)
    }
    if (verdict > Verdict.toSource && target !== sender.text) {
      throw new Error(`run ${run}, seed ${SEED}: ${name} answers ${target}, not ${sender.text}`)
    }
  }
  // Neither all forwarded nor all refused: the mutations reach every part of the path.
  for (const name of ['toOwner', 'toFlow', 'toSource', 'answerMalformed', 'answerBadToken']) {
    expect(verdicts.get(name) ?? 0, name).toBeGreaterThan(MUTATIONS / 2000)
  }
  expect([...verdicts.values()].reduce((sum, count) => sum + count, 0)).toBe(MUTATIONS)
})

function baseMessages(balancer: Balancer): string[] {
  const callId = 'call-1@phone'
  const own = (token: string): string => `Route: <sip:${token}@${SHARED};lr>`
  const inside = request('INVITE', { headers: [own(balancer.token(path, OTHER_PHONE, callId))] })
  const bye = request('BYE', {
    uri: 'sip:bob@192.0.2.99',
    to: '<sip:bob@x>;tag=t2',
    headers: [
      own(balancer.token(recordRoute, PHONE, callId)),
      `Route: <sip:${REGISTRARS[1]};lr>, <sip:${balancer.token(recordRoute, OTHER_PHONE, callId)}@${SHARED};lr>`,
    ],
  })
  const relayed = balancer.deliver(PHONE, SHARED, request('INVITE', { uri: `sip:${userOf(0)}@x` }))
  const response = relayed.out!.replace(/^.*\r\n/, 'SIP/2.0 200 OK\r\n')
  const register = request('REGISTER', { uri: 'sip:example.com' })
  return [request('INVITE'), register, bye, inside, inside, response, response, request('MESSAGE')]
}

/** One to four places overwritten, deleted, doubled or cut off. */
function mutate(base: Uint8Array, random: () => number): Uint8Array {
  let message = base.slice()
  for (let times = 1 + (random() % 4); times > 0 && message.length > 8; times--) {
    const at = random() % message.length
    switch (random() % 6) {
      case 0:
        message = message.slice(0, at)
        break
      case 1:
        message.copyWithin(at, at + 1 + (random() % 8))
        break
      case 2: {
        const piece = message.slice(at, at + (random() % 40))
        const copy = new Uint8Array(message.length + piece.length)
        copy.set(message.subarray(0, at))
        copy.set(piece, at)
        copy.set(message.subarray(at), at + piece.length)
        message = copy
        break
      }
      default:
        message[at] = SPICE[random() % SPICE.length]!
    }
  }
  return message
}

/** xorshift32: unsigned, the same on every machine. */
function generator(seed: number): () => number {
  let state = seed | 1
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return state >>> 0
  }
}
