/** Tables for tests: plausible ones of any size. Not for production. */
import { defaultSeed, HASH_NAME } from './hash.ts'
import { type Member, MemberState, NO_MEMBER, TABLE_SCHEMA, type TableContent } from './table.ts'

export function sampleMember(i: number): Member {
  return {
    id: `registrar-${i}`,
    name: `registrar-${i}`,
    address: `10.244.${i >> 8}.${i & 255}`,
    port: 5060,
    hostAddresses: [`10.0.${i >> 8}.${i & 255}`],
    weight: 1,
    state: MemberState.up,
    since: '2026-11-23T08:52:54.123Z',
  }
}

export function sampleTable(
  slots = 64,
  memberCount = 3,
  changes: Partial<TableContent> = {},
): TableContent {
  const owners = Uint16Array.from({ length: slots }, (_, slot) => slot % memberCount)
  return {
    schema: TABLE_SCHEMA,
    uid: '2f0b1c1e-6f4d-4d8e-9d3c-3a8f6f0c5b11',
    namespace: 'default',
    name: 'registrars',
    generation: 3,
    objectCreated: '2026-11-23T08:00:00.000Z',
    epoch: 17,
    leaseTransitions: 2,
    removed: false,
    hash: HASH_NAME,
    seed: defaultSeed('default', 'registrars'),
    key: 'User',
    signingKey: 1,
    addresses: ['203.0.113.10', '2001:db8::10'],
    port: 5060,
    aliases: ['sip.example.com'],
    domains: ['example.com', 'müller.example'],
    edge: {
      path: true,
      recordRoute: true,
      insideSource: 'Node',
      insideNetworks: ['10.0.0.0/8'],
      trustedNetworks: ['2001:db8:1::/48'],
      rateLimit: { perSource: 50, burst: 100 },
      denyUserAgents: ['friendly-scanner', 'quote"back\\slash'],
    },
    probe: {
      intervalMs: 500,
      timeoutMs: 400,
      fall: 2,
      rise: 3,
      acceptedCodes: ['2xx', '404', '405', '483'],
      requestUri: null,
      from: 'sip:probe@example.com',
    },
    panicPercent: 50,
    members: Array.from({ length: memberCount }, (_, i) => sampleMember(i)),
    former: [{ address: '10.244.9.9', port: 5060, until: '2026-11-24T08:00:00.000Z' }],
    slots,
    owners,
    backups: owners.map((owner) => (memberCount > 1 ? (owner + 1) % memberCount : NO_MEMBER)),
    ...changes,
  }
}
