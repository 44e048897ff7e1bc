/**
 * A balancer's packet path without a network, for tests: datagrams in by hand, verdicts and datagrams out.
 * Not here: tests. Invariant: everything but the sockets is the production code.
 */

import { DatagramBatch } from '@sipcast/net'
import {
  defaultSeed,
  HASH_NAME,
  type Member,
  memberTag,
  NO_MEMBER,
  slotOf,
  SlotHash,
  type Table,
} from '@sipcast/mapping'
import {
  ascii,
  ENDPOINT_WORDS,
  formatEndpoint,
  KeyRing,
  parseEndpointText,
  Token,
  TokenKind,
  writeToken,
  Message,
  Scan,
  scan,
  Writer,
} from '@sipcast/sip'
import { forward } from './forward.ts'
import { Forwarder, OpenSocket } from './forwarder.ts'
import { Pool } from './pool.ts'
import { verdictNames } from './verdict.ts'

export const SHARED = '203.0.113.10:5060'
export const SHARED6 = '[2001:db8::10]:5060'
export const INSIDE = '10.0.9.1:5070'
export const INSIDE6 = '[2001:db8:9::1]:5070'
export const PHONE = '198.51.100.7:40000'
export const OTHER_PHONE = '198.51.100.8:40008'
export const PHONE6 = '[2001:db8:7::7]:40000'
/** Members, in table order. */
export const REGISTRARS = ['10.0.0.1:5060', '10.0.0.2:5060', '[2001:db8:1::3]:5060'] as const

export const KEY_ID = 7
const secret = Uint8Array.from({ length: 16 }, (_, index) => index * 3)

export function endpoint(text: string): Int32Array {
  const words = new Int32Array(ENDPOINT_WORDS)
  if (!parseEndpointText(text, words, 0, 5060)) throw new Error(`no endpoint: ${text}`)
  return words
}

/** A table of three registrars whose slots go round: slot s belongs to s mod 3, its backup is the next one. */
export function table(change: Partial<Table> = {}): Table {
  const members = change.members ?? REGISTRARS.map((text, index) => member(index, text))
  const slots = 64
  const owners = Uint16Array.from({ length: slots }, (_, slot) => slot % members.length)
  const backups = owners.map((owner) =>
    members.length > 1 ? (owner + 1) % members.length : NO_MEMBER,
  )
  return {
    schema: 1,
    uid: 'uid-1',
    namespace: 'default',
    name: 'registrars',
    generation: 1,
    objectCreated: '2026-01-01T00:00:00.000Z',
    epoch: 1,
    leaseTransitions: 0,
    removed: false,
    hash: HASH_NAME,
    seed: defaultSeed('default', 'registrars'),
    key: 'User',
    signingKey: KEY_ID,
    addresses: [hostOf(SHARED), hostOf(SHARED6)],
    port: 5060,
    aliases: ['sip.example.com'],
    domains: [],
    edge: {
      path: true,
      recordRoute: true,
      insideSource: 'Node',
      insideNetworks: ['10.99.0.0/16'],
      trustedNetworks: ['198.51.100.200/32'],
      rateLimit: null,
      denyUserAgents: ['friendly-scanner'],
    },
    probe: {
      intervalMs: 500,
      timeoutMs: 400,
      fall: 2,
      rise: 3,
      acceptedCodes: ['2xx'],
      requestUri: null,
      from: null,
    },
    panicPercent: 50,
    members,
    former: [{ address: '10.0.0.77', port: 5060, until: '2026-01-02T00:00:00.000Z' }],
    slots,
    owners,
    backups,
    sha256: '',
    ...change,
  }
}

export function member(index: number, text: string, change: Partial<Member> = {}): Member {
  const words = endpoint(text)
  return {
    id: `registrar-${index}`,
    name: `registrar-${index}`,
    address: hostOf(text),
    port: words[4]!,
    hostAddresses: [`10.1.0.${index + 1}`],
    weight: 1,
    state: 'Up',
    since: '2026-01-01T00:00:00.000Z',
    ...change,
  }
}

/** Index of the owner that `table()` gives to a user. */
export function ownerOf(user: string, of: Table = table()): number {
  const bytes = ascii(user)
  return of.owners[slotOf(new SlotHash(of.seed).hash(bytes, 0, bytes.length), of.slots)]!
}

/** A user of the given owner: `user-0`, `user-1`, … whichever comes first. */
export function userOf(owner: number, of: Table = table()): string {
  for (let number = 0; ; number++) {
    if (ownerOf(`user-${number}`, of) === owner) return `user-${number}`
  }
}

export interface Outcome {
  readonly verdict: string
  /** Where it goes, null where nothing is sent. */
  readonly target: string | null
  /** Our address that it leaves from. */
  readonly source: string | null
  readonly out: string | null
}

export class Balancer {
  readonly forwarder = new Forwarder()
  readonly keys = new KeyRing()
  readonly pools: readonly Pool[]

  constructor(tables: readonly Table[] = [table()], keyIds: readonly number[] = [KEY_ID]) {
    for (const id of keyIds) this.keys.add(id, secret)
    this.pools = tables.map(
      (one) =>
        new Pool({
          table: one,
          dead: new SharedArrayBuffer(one.members.length),
          packets: new SharedArrayBuffer(one.members.length * 8),
        }),
    )
    const sockets: OpenSocket[] = [INSIDE, INSIDE6].map((text, id) => {
      return new OpenSocket(id, null, endpoint(text))
    })
    for (const pool of this.pools) {
      for (let at = 0; at < pool.addresses.length; at += ENDPOINT_WORDS) {
        const words = pool.addresses.slice(at, at + ENDPOINT_WORDS)
        sockets.push(new OpenSocket(sockets.length, pool, words))
      }
    }
    this.sockets = sockets
    this.forwarder.nowMs = Date.parse('2026-01-01T12:00:00.000Z')
    this.forwarder.use({ pools: this.pools, keys: this.keys, sockets })
  }

  readonly sockets: readonly OpenSocket[]

  deliver(from: string, to: string, text: string | Uint8Array): Outcome {
    const words = endpoint(to)
    const socket = this.sockets.find((open) => open.words.every((word, i) => word === words[i]))
    if (socket === undefined) throw new Error(`no socket at ${to}`)
    const received = new DatagramBatch(1)
    const sending = new DatagramBatch(1)
    received.append(socket.id, endpoint(from), 0, typeof text === 'string' ? bytesOf(text) : text)
    const verdict = forward(this.forwarder, received, 0, sending)
    const left =
      sending.count === 0 ? null : this.sockets.find(({ id }) => id === sending.socket[0])
    return {
      verdict: verdictNames[verdict]!,
      target: sending.count === 0 ? null : formatEndpoint(sending.peer, 0),
      source: left === null || left === undefined ? null : formatEndpoint(left.words, 0),
      out: sending.count === 0 ? null : textOf(sending.payload(0)),
    }
  }

  /** Marks a member dead by this balancer's own evidence. */
  kill(memberIndex: number, isDead = true): void {
    this.pools[0]!.dead[memberIndex] = isDead ? 1 : 0
  }

  /** A token as this balancer would write it into a Path or Record-Route of `callId`. */
  token(kind: TokenKind, flow: string, callId: string, options: TokenOptions = {}): string {
    const token = new Token()
    token.kind = kind
    token.keyId = options.keyId ?? KEY_ID
    token.flow.set(endpoint(flow))
    token.local.set(endpoint(options.local ?? SHARED))
    token.member = options.member === undefined ? 0 : memberTag(`registrar-${options.member}`)
    const message = new Message()
    const bytes = bytesOf(request('INVITE', { callId }))
    if (scan(message, bytes, 0, bytes.length) !== Scan.request) throw new Error('bad fixture')
    const text = new Uint8Array(80)
    const writer = new Writer(text)
    if (!writeToken(token, this.keys, message, writer)) throw new Error('no such key')
    return textOf(text.subarray(0, writer.at))
  }
}

export interface TokenOptions {
  readonly local?: string
  readonly member?: number
  readonly keyId?: number
}

export const recordRoute: TokenKind = TokenKind.recordRoute
export const path: TokenKind = TokenKind.path

export interface RequestOptions {
  readonly uri?: string
  readonly callId?: string
  readonly from?: string
  readonly to?: string
  readonly via?: string
  readonly maxForwards?: string | null
  readonly cseq?: number
  /** Whole header lines, put after the Via. */
  readonly headers?: readonly string[]
  readonly body?: string
}

/** A request as a phone writes it, CRLF line ends. */
export function request(method: string, options: RequestOptions = {}): string {
  const { maxForwards = '70', body = '' } = options
  return [
    `${method} ${options.uri ?? 'sip:bob@example.com'} SIP/2.0`,
    `Via: ${options.via ?? 'SIP/2.0/UDP 192.168.1.5:5060;branch=z9hG4bKaaa;rport'}`,
    ...(options.headers ?? []),
    ...(maxForwards === null ? [] : [`Max-Forwards: ${maxForwards}`]),
    `From: "Alice" <${options.from ?? 'sip:alice@example.com'}>;tag=from1`,
    `To: ${options.to ?? '<sip:bob@example.com>'}`,
    `Call-ID: ${options.callId ?? 'call-1@phone'}`,
    `CSeq: ${options.cseq ?? 1} ${method}`,
    `Content-Length: ${body.length}`,
    '',
    body,
  ].join('\r\n')
}

export function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0))
}

export function textOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join('')
}

/** Lines of one header, in order, without the name. */
export function headers(message: string | null, name: string): string[] {
  const prefix = `${name.toLowerCase()}:`
  return (message ?? '')
    .split('\r\n\r\n')[0]!
    .split('\r\n')
    .filter((line) => line.toLowerCase().startsWith(prefix))
    .map((line) => line.slice(prefix.length).trim())
}

function hostOf(text: string): string {
  return text.startsWith('[') ? text.slice(1, text.indexOf(']')) : text.split(':')[0]!
}
