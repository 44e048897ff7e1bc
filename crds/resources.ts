/**
 * The three resources as the API server knows them: names, scope, columns of `kubectl get`. Not here: their fields
 * (one file each). Invariant: a column's path leads to a field of the schema.
 */
import type { z } from 'zod'
import {
  BGP_PEER_KIND,
  BGP_PEER_NAME_LENGTH_MAX,
  bgpPeerSpecSchema,
  bgpPeerStatusSchema,
} from './bgp-peer.ts'
import {
  SIP_BALANCER_KIND,
  SIP_BALANCER_NAME_LENGTH_MAX,
  sipBalancerSpecSchema,
  sipBalancerStatusSchema,
} from './sip-balancer.ts'
import { SIP_PROXY_KIND, SIP_PROXY_NAME_LENGTH_MAX, sipProxySpecSchema } from './sip-proxy.ts'
import { sipProxyStatusSchema } from './sip-proxy-status.ts'

export interface Column {
  readonly name: string
  readonly jsonPath: string
  /** `date` is shown as the time since then. */
  readonly type: 'string' | 'integer' | 'number' | 'boolean' | 'date'
  readonly description: string
  /** Shown by `-o wide` only. */
  readonly wide?: true
}

export interface Resource {
  readonly kind: string
  readonly plural: string
  readonly shortName: string
  readonly scope: 'Namespaced' | 'Cluster'
  readonly nameLengthMax: number
  readonly description: string
  readonly spec: { readonly schema: z.ZodType; readonly description: string }
  readonly status: { readonly schema: z.ZodType; readonly description: string }
  /** Whether an object says nothing without a spec. */
  readonly needsSpec: boolean
  readonly columns: readonly Column[]
}

const ready = '.status.conditions[?(@.type=="Ready")]'
const age: Column = {
  name: 'Age',
  jsonPath: '.metadata.creationTimestamp',
  type: 'date',
  description: 'Time since the object was made.',
}

const sipProxies: Resource = {
  kind: SIP_PROXY_KIND,
  plural: 'sipproxies',
  shortName: 'sp',
  scope: 'Namespaced',
  nameLengthMax: SIP_PROXY_NAME_LENGTH_MAX,
  description:
    'A pool of SIP proxies behind one or more shared (anycast) addresses. Every packet that concerns a user goes to the one proxy that holds that user, whichever node it arrives at.',
  spec: { schema: sipProxySpecSchema, description: 'What is wanted.' },
  status: {
    schema: sipProxyStatusSchema,
    description: 'What is, written by the operator only.',
  },
  needsSpec: true,
  columns: [
    {
      name: 'Address',
      jsonPath: '.spec.addresses[0]',
      type: 'string',
      description: 'The first shared address.',
    },
    {
      name: 'Proxies',
      jsonPath: '.status.summary.proxies',
      type: 'string',
      description: 'Proxies that take users, of all.',
    },
    {
      name: 'Balancers',
      jsonPath: '.status.summary.balancers',
      type: 'string',
      description: 'Balancers that use the newest table, of all that live.',
    },
    {
      name: 'Epoch',
      jsonPath: '.status.table.epoch',
      type: 'integer',
      description: 'Number of the newest table.',
    },
    {
      name: 'Ready',
      jsonPath: `${ready}.status`,
      type: 'string',
      description: 'Whether phones are served.',
    },
    {
      name: 'Reason',
      jsonPath: `${ready}.reason`,
      type: 'string',
      description: 'Why, or why not.',
    },
    {
      name: 'Slots',
      jsonPath: '.spec.mapping.slots',
      type: 'integer',
      description: 'Hash buckets that users are put into.',
      wide: true,
    },
    {
      name: 'Moved',
      jsonPath: '.status.table.lastMoves',
      type: 'integer',
      description: 'Slots that changed their owner with the newest table.',
      wide: true,
    },
    {
      name: 'Changed',
      jsonPath: '.status.table.publishedAt',
      type: 'date',
      description: 'Time since the newest table was published.',
      wide: true,
    },
    age,
  ],
}

const bgpPeers: Resource = {
  kind: BGP_PEER_KIND,
  plural: 'bgppeers',
  shortName: 'sbgp',
  scope: 'Cluster',
  nameLengthMax: BGP_PEER_NAME_LENGTH_MAX,
  description: 'A router that nodes announce the shared addresses of all SipProxies to, by BGP.',
  spec: {
    schema: bgpPeerSpecSchema,
    description: 'How to talk to the router, and which nodes do.',
  },
  status: { schema: bgpPeerStatusSchema, description: 'What is, written by the operator only.' },
  needsSpec: true,
  columns: [
    {
      name: 'Peer',
      jsonPath: '.spec.peerAddress',
      type: 'string',
      description: 'Address of the router.',
    },
    {
      name: 'Peer-ASN',
      jsonPath: '.spec.peerASN',
      type: 'integer',
      description: 'Autonomous system of the router.',
    },
    {
      name: 'Local-ASN',
      jsonPath: '.spec.localASN',
      type: 'integer',
      description: 'Autonomous system of the nodes.',
    },
    {
      name: 'BFD',
      jsonPath: '.spec.bfd.enabled',
      type: 'boolean',
      description: 'Whether the path is watched by BFD.',
    },
    {
      name: 'Sessions',
      jsonPath: '.status.summary.sessions',
      type: 'string',
      description: 'Established sessions, of the nodes that should have one.',
    },
    {
      name: 'Reason',
      jsonPath: `.status.conditions[?(@.type=="Established")].reason`,
      type: 'string',
      description: 'Why not all are established, or that they are.',
    },
    {
      name: 'Hold',
      jsonPath: '.spec.holdTime',
      type: 'string',
      description: 'Hold time.',
      wide: true,
    },
    {
      name: 'Hops',
      jsonPath: '.spec.multihop',
      type: 'integer',
      description: 'How many hops away the router may be.',
      wide: true,
    },
    age,
  ],
}

const sipBalancers: Resource = {
  kind: SIP_BALANCER_KIND,
  plural: 'sipbalancers',
  shortName: 'sb',
  scope: 'Cluster',
  nameLengthMax: SIP_BALANCER_NAME_LENGTH_MAX,
  description:
    'What the balancer of one node really does, as it says itself: is every node serving? Made by the balancer and named as its node; a person only writes `spec.maintenance`.',
  spec: { schema: sipBalancerSpecSchema, description: 'What a person wants of this node.' },
  status: {
    schema: sipBalancerStatusSchema,
    description: 'What is, written by the balancer of the node only.',
  },
  needsSpec: false,
  columns: [
    {
      name: 'Ready',
      jsonPath: `${ready}.status`,
      type: 'string',
      description:
        "Whether a phone's packet would be forwarded; believe it only while Heartbeat is below 90 s.",
    },
    {
      name: 'Reason',
      jsonPath: `${ready}.reason`,
      type: 'string',
      description: 'Why, or why not.',
    },
    {
      name: 'SipProxies',
      jsonPath: '.status.summary.sipProxies',
      type: 'string',
      description: 'SipProxies whose newest known table is in use, of all.',
    },
    {
      name: 'Serving',
      jsonPath: '.status.summary.serving',
      type: 'string',
      description: 'Addresses that are served, of all that should be.',
    },
    {
      name: 'Announced',
      jsonPath: '.status.summary.announced',
      type: 'string',
      description: 'Addresses announced to routers, of all that should be served.',
    },
    {
      name: 'BGP',
      jsonPath: '.status.summary.bgp',
      type: 'string',
      description: 'Established BGP sessions, of all that there should be.',
    },
    {
      name: 'Heartbeat',
      jsonPath: '.status.heartbeatAt',
      type: 'date',
      description: 'Time since the balancer last said that it lives.',
    },
    {
      name: 'Maintenance',
      jsonPath: '.spec.maintenance',
      type: 'boolean',
      description: 'Whether a person has taken the node out of service.',
    },
    {
      name: 'Rate',
      jsonPath: '.status.packetsPerSecond.fromOutside',
      type: 'number',
      description: 'Packets per second from phones and trunks.',
      wide: true,
    },
    {
      name: 'Dropped',
      jsonPath: '.status.packetsPerSecond.dropped',
      type: 'number',
      description: 'Packets dropped per second.',
      wide: true,
    },
    {
      name: 'Version',
      jsonPath: '.status.version',
      type: 'string',
      description: 'Version of sipcast.',
      wide: true,
    },
    age,
  ],
}

export const resources: readonly Resource[] = [sipProxies, bgpPeers, sipBalancers]
