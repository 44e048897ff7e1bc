/**
 * The BgpPeer resource: one router that nodes announce the shared addresses to (design section 3). Not here: the
 * BIRD configuration made from it (announcer). Invariant: what is announced is decided by SipProxies alone; a BgpPeer
 * only says to whom.
 */
import { z } from 'zod'
import { ipAddress } from './address.ts'
import { duration, wholeSeconds } from './duration.ts'
import { labels } from './label.ts'
import { port } from './proxies.ts'
import { withRules } from './rules.ts'
import { API_VERSION, objectName } from './sip-proxy.ts'
import { conditionSchema } from './sip-proxy-status.ts'
import { spelt } from './text.ts'

export const BGP_PEER_KIND = 'BgpPeer'
export const BGP_PEER_NAME_LENGTH_MAX = 63

/** 4294967295 is reserved (RFC 7300), and so is 0 (RFC 7607). */
const asn = z.int().min(1).max(4294967294)

const community = withRules(
  spelt({
    pattern: /^(0|[1-9][0-9]{0,9})(:(0|[1-9][0-9]{0,9})){1,2}$/,
    spelling: 'a community such as "65000:100" or a large one such as "65000:1:2"',
    lengthMax: 32,
  }),
  [
    {
      cel: "self.split(':').all(part, int(part) <= (size(self.split(':')) == 2 ? 65535 : 4294967295))",
      message: 'each part must be at most 65535, or 4294967295 in a large community of three parts',
      holds: (text) => {
        const parts = text.split(':').map(Number)
        return parts.every((part) => part <= (parts.length === 2 ? 0xffff : 0xffffffff))
      },
    },
  ],
)

const bfdSchema = z
  .strictObject({
    enabled: z
      .boolean()
      .default(true)
      .describe(
        'Watches the path to the router by BFD (RFC 5880): a silent node is noticed in fractions of a second, not after `holdTime`. The router must have BFD switched on for this session too.',
      ),
    interval: duration('10ms', '60s')
      .prefault('100ms')
      .describe('Time between two BFD packets, sent and wanted.'),
    multiplier: z
      .int()
      .min(1)
      .max(255)
      .default(3)
      .describe('Packets in a row that may be missing before the session counts as down.'),
  })
  .transform(({ interval, ...rest }) => ({ ...rest, intervalMs: interval }))

const passwordSecretRefSchema = z
  .strictObject({
    name: objectName(253).describe('Name of the Secret, in the namespace of sipcast itself.'),
    key: spelt({
      pattern: /^[-._A-Za-z0-9]+$/,
      spelling: 'a key of a Secret such as "password"',
      lengthMax: 253,
    })
      .default('password')
      .describe('Key in the Secret.'),
  })
  .meta({ 'x-kubernetes-map-type': 'atomic' })

export const bgpPeerSpecSchema = withRules(
  z.strictObject({
    peerAddress: ipAddress().describe('IPv4 or IPv6 address of the router.'),
    peerASN: asn.describe('Autonomous system number of the router.'),
    localASN: asn.describe(
      'Autonomous system number of the nodes. The same as `peerASN`: internal BGP.',
    ),
    port: port.default(179).describe('TCP port of the router.'),
    holdTime: wholeSeconds('3s', '65535s')
      .prefault('9s')
      .describe(
        'After this time without a message the session is down. The lower value of both ends counts; keepalives are sent three times as often.',
      ),
    bfd: bfdSchema.prefault({}).describe('Fast detection of a dead path.'),
    nodeSelector: labels()
      .prefault({})
      .describe('Only nodes with all of these labels talk to this router. Empty: every node.'),
    passwordSecretRef: passwordSecretRefSchema
      .optional()
      .describe('Password of the session (TCP MD5, RFC 2385). Default: none.'),
    sourceAddress: ipAddress()
      .optional()
      .describe(
        "The node's address that the session comes from; of the IP version of `peerAddress`. Default: by the node's routes. One address fits one node only: combine it with `nodeSelector`.",
      ),
    multihop: z
      .int()
      .min(1)
      .max(255)
      .default(1)
      .describe('How many hops away the router may be. 1: on the same link.'),
    communities: z
      .array(community)
      .max(32)
      .default([])
      .meta({ 'x-kubernetes-list-type': 'atomic' })
      .describe(
        'Communities put on every announced address: `65000:100` (RFC 1997), or large ones such as `65000:1:2` (RFC 8092).',
      ),
  }),
  [
    {
      cel: '!has(self.sourceAddress) || !isIP(self.sourceAddress) || !isIP(self.peerAddress) || ip(self.sourceAddress).family() == ip(self.peerAddress).family()',
      message: 'must be of the same IP version as peerAddress',
      holds: ({ sourceAddress, peerAddress }) =>
        sourceAddress === undefined || sourceAddress.includes(':') === peerAddress.includes(':'),
      path: ['sourceAddress'],
    },
  ],
).transform(({ holdTime, passwordSecretRef, sourceAddress, ...rest }) => ({
  ...rest,
  holdTimeMs: holdTime,
  passwordSecretRef: passwordSecretRef ?? null,
  sourceAddress: sourceAddress ?? null,
}))

export const bgpPeerStatusSchema = z.object({
  observedGeneration: z
    .int()
    .min(0)
    .optional()
    .describe('Generation of the spec that this status is about.'),
  conditions: z
    .array(conditionSchema)
    .max(16)
    .optional()
    .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['type'] })
    .describe(
      '`Accepted`: the spec is valid. `Established`: every node that should has a session with this router.',
    ),
  summary: z
    .object({
      sessions: z
        .string()
        .max(32)
        .optional()
        .describe('Established sessions, of the nodes that should have one: `2/2`.'),
    })
    .optional()
    .describe('Sums, for `kubectl get`. Details are in the SipBalancers.'),
})

export const bgpPeerSchema = z.looseObject({
  apiVersion: z.literal(API_VERSION),
  kind: z.literal(BGP_PEER_KIND),
  metadata: z.looseObject({
    name: objectName(BGP_PEER_NAME_LENGTH_MAX),
  }),
  spec: bgpPeerSpecSchema,
})

export type BgpPeerStatus = z.output<typeof bgpPeerStatusSchema>
export type BgpPeerSpec = z.output<typeof bgpPeerSpecSchema>

/** A BgpPeer as the rest of sipcast sees it. */
export interface BgpPeer {
  readonly name: string
  readonly spec: BgpPeerSpec
}
