/**
 * The scene of the forwarding benchmarks: one shared address, four members, phones behind 64 NATs, all on loopback
 * addresses of their own, so that nothing else on the machine is in the way and phones are not taken for members.
 * Not here: messages (calls.ts), processes (run.ts). Invariant: everything is constant, so every run measures the same.
 */
import { defaultSeed, HASH_NAME, sealTable, type Table, TABLE_SCHEMA } from '@sipcast/mapping'
import { ENDPOINT_WORDS, parseEndpointText } from '@sipcast/sip'
import type { KeyConfig, WorkerConfig } from '../../../dataplane/worker-config.ts'

export const SHARED = '127.77.0.10:5060'
export const INSIDE = '127.77.0.20:5070'
export const MEMBERS: readonly string[] = [1, 2, 3, 4].map((host) => `127.77.1.${host}:5060`)
/** Source endpoints; many users share each, as behind a NAT. */
export const PHONES: readonly string[] = Array.from(
  { length: 64 },
  (_, index) => `127.77.2.${1 + index}:${40_000 + index}`,
)
/** Where the bare forwarders send everything. */
export const SINK: string = MEMBERS[0]!

const SLOTS = 4096
const SINCE = '2026-01-01T00:00:00.000Z'
const KEY_ID = 7

export const keys: readonly KeyConfig[] = [
  { id: KEY_ID, secret: Uint8Array.from({ length: 16 }, (_, index) => index * 3) },
]

/** The defaults of a SipProxy: Path and Record-Route on, key User, towards the pool from the inside socket. */
export const table: Table = sealTable({
  schema: TABLE_SCHEMA,
  uid: 'bench',
  namespace: 'default',
  name: 'bench',
  generation: 1,
  objectCreated: SINCE,
  epoch: 1,
  leaseTransitions: 0,
  removed: false,
  hash: HASH_NAME,
  seed: defaultSeed('default', 'bench'),
  key: 'User',
  signingKey: KEY_ID,
  addresses: [hostOf(SHARED)],
  port: endpoint(SHARED)[4]!,
  aliases: ['sip.example.com'],
  domains: [],
  edge: {
    path: true,
    recordRoute: true,
    insideSource: 'Node',
    insideNetworks: ['10.0.0.0/8'],
    trustedNetworks: [],
    rateLimit: { perSource: 10_000_000, burst: 10_000_000 },
    denyUserAgents: ['friendly-scanner', 'sipvicious'],
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
  members: MEMBERS.map((text, index) => ({
    id: `registrar-${index}`,
    name: `registrar-${index}`,
    address: hostOf(text),
    port: endpoint(text)[4]!,
    hostAddresses: [`10.1.0.${index + 1}`],
    weight: 1,
    state: 'Up',
    since: SINCE,
  })),
  former: [],
  slots: SLOTS,
  owners: Uint16Array.from({ length: SLOTS }, (_, slot) => slot % MEMBERS.length),
  backups: Uint16Array.from({ length: SLOTS }, (_, slot) => (slot + 1) % MEMBERS.length),
})

export function workerConfig(): WorkerConfig {
  return {
    generation: 1,
    pools: [
      {
        table,
        dead: new SharedArrayBuffer(MEMBERS.length),
        packets: new SharedArrayBuffer(MEMBERS.length * 8),
      },
    ],
    keys,
    inside: [{ address: hostOf(INSIDE), port: endpoint(INSIDE)[4]! }],
    addresses: null,
  }
}

export function endpoint(text: string): Int32Array {
  const words = new Int32Array(ENDPOINT_WORDS)
  if (!parseEndpointText(text, words, 0)) throw new Error(`no endpoint: ${text}`)
  return words
}

function hostOf(text: string): string {
  return text.slice(0, text.lastIndexOf(':'))
}
