/**
 * The SipBalancer resource (design section 3): what one balancer really does, as it says itself, and whether a person
 * wants it to. Cluster-scoped, one per node, made and written by that node's balancer; in directory mode the status is
 * the whole of balancers/NAME.json.
 * Not here: the resource's columns (resources.ts). Invariant: "in use" means used for packets, not delivered.
 */
import { z } from 'zod'
import { API_VERSION, objectName } from './sip-proxy.ts'
import { conditionSchema } from './sip-proxy-status.ts'

export const SIP_BALANCER_KIND = 'SipBalancer'
/** That of a node. */
export const SIP_BALANCER_NAME_LENGTH_MAX = 253

export const AddressState = {
  bound: 'Bound',
  portInUse: 'PortInUse',
  addressAbsent: 'AddressAbsent',
  failed: 'Failed',
} as const
export type AddressState = (typeof AddressState)[keyof typeof AddressState]

export const BgpState = {
  idle: 'Idle',
  connect: 'Connect',
  active: 'Active',
  openSent: 'OpenSent',
  openConfirm: 'OpenConfirm',
  established: 'Established',
} as const
export type BgpState = (typeof BgpState)[keyof typeof BgpState]

export const BfdState = { off: 'Off', down: 'Down', init: 'Init', up: 'Up' } as const
export type BfdState = (typeof BfdState)[keyof typeof BfdState]

const MEMBERS_MAX = 2048
/** Of all SipProxies together. */
const ADDRESSES_MAX = 4096

const name = z.string().max(253)
const time = z.iso.datetime()
const address = z.string().max(45)

const deadMarkSchema = z.object({
  id: name.describe('Name of the proxy.'),
  since: time.describe('When this balancer marked it.'),
})

const addressStatusSchema = z.object({
  address: address.describe('The shared address.'),
  port: z.int().min(1).max(65535).describe('Its UDP port.'),
  state: z
    .enum(AddressState)
    .describe(
      '`Bound`: packets are taken. `PortInUse`: another program on the node has the port. `AddressAbsent`: the node does not hold the address. `Failed`: see the message. All but the first are tried again.',
    ),
  message: z.string().max(1024).optional().describe('Why it is not bound.'),
})

const problemSchema = z.object({
  reason: z.string().max(128).describe('One CamelCase word for programs.'),
  message: z.string().max(1024).describe('What is wrong, in words for people.'),
})

const balancedSipProxySchema = z.object({
  namespace: name.describe('Namespace of the SipProxy.'),
  name: name.describe('Name of the SipProxy.'),
  uid: z
    .string()
    .max(64)
    .nullable()
    .default(null)
    .describe('Identity of the SipProxy whose table is in use; null while none is.'),
  epoch: z
    .int()
    .min(0)
    .nullable()
    .default(null)
    .describe('Epoch of the table in use: all workers forward by it.'),
  sha256: z.string().max(64).nullable().default(null).describe('Checksum of the table in use.'),
  inUseSince: time.nullable().default(null).describe('When the last worker took that table up.'),
  deadMarks: z
    .array(deadMarkSchema)
    .max(MEMBERS_MAX)
    .default([])
    .describe(
      'Proxies that this balancer has found dead by its own probes; their users go to the backups until the table says otherwise.',
    ),
  unanswered: z
    .array(name)
    .max(MEMBERS_MAX)
    .default([])
    .describe(
      'Proxies that do not answer this balancer, marked or not: where too many fall silent at once it marks none.',
    ),
  announced: z
    .array(z.string().max(64))
    .max(16)
    .default([])
    .describe('Addresses of this SipProxy that this node announces to routers.'),
  addresses: z
    .array(addressStatusSchema)
    .max(16)
    .default([])
    .describe('Sockets on the shared addresses of this SipProxy.'),
  problems: z
    .array(problemSchema)
    .max(16)
    .default([])
    .describe('What keeps this node from serving this SipProxy as it should.'),
})

const packetsPerSecondSchema = z.object({
  fromOutside: z.number().min(0).describe('From phones and trunks.'),
  fromInside: z.number().min(0).describe('From proxies.'),
  dropped: z.number().min(0).describe('Dropped, of both.'),
})

const bgpSessionSchema = z.object({
  peer: name.describe('Name of the BgpPeer.'),
  peerAddress: address.optional().describe('Address of the router.'),
  state: z
    .enum(BgpState)
    .describe('State of the session (RFC 4271); `Established` is the good one.'),
  since: time.optional().describe('When it came into this state.'),
  bfd: z.enum(BfdState).optional().describe('State of BFD with this router (RFC 5880).'),
  announced: z.int().min(0).optional().describe('Addresses announced to this router.'),
  message: z.string().max(1024).optional().describe('The last error of the session.'),
})

export const sipBalancerSpecSchema = z.strictObject({
  maintenance: z
    .boolean()
    .default(false)
    .describe(
      'True takes the node out of service by hand: its addresses are withdrawn from the routers first, then it serves what still arrives. Nothing but a person changes this.',
    ),
})

const summarySchema = z.object({
  sipProxies: z
    .string()
    .max(32)
    .optional()
    .describe('SipProxies whose newest known table is in use on this node, of all: `2/2`.'),
  serving: z
    .string()
    .max(32)
    .optional()
    .describe(
      'Addresses that this node serves (a table in use, the socket bound), of all it should: `2/2`.',
    ),
  announced: z
    .string()
    .max(32)
    .optional()
    .describe(
      'Addresses that this node announces to routers, of all it should serve: `2/2`. Absent where it announces to nobody.',
    ),
  bgp: z
    .string()
    .max(32)
    .optional()
    .describe('Established BGP sessions of this node, of all it should have: `2/2`.'),
})

export const sipBalancerStatusSchema = z.object({
  name: name.optional().describe('Name of the balancer: that of its node.'),
  heartbeatAt: time.describe(
    'When the balancer last said that it lives: every 30 s. One older than 90 s does not count.',
  ),
  version: z.string().max(64).describe('Version of sipcast that it runs.'),
  maintenance: z
    .boolean()
    .optional()
    .describe('Whether it is out of service by `spec.maintenance`.'),
  sipProxies: z
    .array(balancedSipProxySchema)
    .max(4096)
    .default([])
    .meta({
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['namespace', 'name'],
    })
    .describe('What this node does for each SipProxy.'),
  acceptedKeyIds: z
    .array(z.int().min(0).max(255))
    .max(256)
    .default([])
    .describe('Ids of the keys whose tokens this balancer believes.'),
  packetsPerSecond: packetsPerSecondSchema
    .optional()
    .describe('Packet rates since the last heartbeat.'),
  heldAddresses: z
    .array(address)
    .max(ADDRESSES_MAX)
    .optional()
    .describe('Shared addresses that the announcer holds on this node.'),
  announcedAddresses: z
    .array(address)
    .max(ADDRESSES_MAX)
    .optional()
    .describe('Shared addresses that are announced to routers from this node.'),
  bgpSessions: z.array(bgpSessionSchema).max(64).optional().describe('BGP sessions of this node.'),
  problems: z
    .array(problemSchema)
    .max(16)
    .optional()
    .describe('What keeps this node from holding and announcing addresses as it should.'),
  summary: summarySchema.optional().describe('Sums, for `kubectl get`.'),
  conditions: z
    .array(conditionSchema)
    .max(16)
    .optional()
    .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['type'] })
    .describe(
      "`Ready`: a phone's packet would be forwarded, or there is nothing to serve. `Announcing`: routers send packets here; absent where the node announces to nobody.",
    ),
})

export const sipBalancerSchema = z.looseObject({
  apiVersion: z.literal(API_VERSION),
  kind: z.literal(SIP_BALANCER_KIND),
  metadata: z.looseObject({
    name: objectName(SIP_BALANCER_NAME_LENGTH_MAX),
  }),
  spec: sipBalancerSpecSchema.prefault({}),
})

export type SipBalancerStatus = z.output<typeof sipBalancerStatusSchema>
export type BalancedSipProxy = SipBalancerStatus['sipProxies'][number]
export type SipBalancerSpec = z.output<typeof sipBalancerSpecSchema>

/** A SipBalancer as the rest of sipcast sees it, status aside. */
export interface SipBalancer {
  readonly name: string
  readonly spec: SipBalancerSpec
}
