/**
 * The status of a SipBalancer (design section 3): what one balancer really does, as it says itself. Cluster-scoped,
 * one per node, written by that node's balancer; in directory mode it is the whole of balancers/NAME.json.
 * Not here: the part of the announcer (BGP, BFD), which comes with it. Invariant: "in use" means used for packets,
 * not delivered.
 */
import { z } from 'zod'
import { conditionSchema } from './sip-proxy-status.ts'

export const AddressState = {
  bound: 'Bound',
  portInUse: 'PortInUse',
  addressAbsent: 'AddressAbsent',
  failed: 'Failed',
} as const
export type AddressState = (typeof AddressState)[keyof typeof AddressState]

const name = z.string().max(253)
const time = z.iso.datetime()

const balancedSipProxySchema = z.object({
  namespace: name,
  name,
  /** Identity of the table in use; absent while there is none. */
  uid: z.string().max(64).nullable().default(null),
  epoch: z.int().min(0).nullable().default(null),
  sha256: z.string().max(64).nullable().default(null),
  inUseSince: time.nullable().default(null),
  /** Owners this balancer has found dead by its own probes. */
  deadMarks: z
    .array(z.object({ id: name, since: time }))
    .max(2048)
    .default([]),
  /** Members that do not answer this balancer, marked or not (its panic guard may forbid marks). */
  unanswered: z.array(name).max(2048).default([]),
  announced: z.array(z.string().max(64)).max(16).default([]),
  addresses: z
    .array(
      z.object({
        address: z.string().max(45),
        port: z.int().min(1).max(65535),
        state: z.enum(AddressState),
        message: z.string().max(1024).optional(),
      }),
    )
    .max(16)
    .default([]),
  problems: z
    .array(z.object({ reason: z.string().max(128), message: z.string().max(1024) }))
    .max(16)
    .default([]),
})

export const sipBalancerStatusSchema = z.object({
  name: name.optional(),
  heartbeatAt: time,
  version: z.string().max(64),
  maintenance: z.boolean().optional(),
  sipProxies: z.array(balancedSipProxySchema).max(4096).default([]),
  acceptedKeyIds: z.array(z.int().min(0).max(255)).max(256).default([]),
  packetsPerSecond: z
    .object({
      fromOutside: z.number().min(0),
      fromInside: z.number().min(0),
      dropped: z.number().min(0),
    })
    .optional(),
  conditions: z.array(conditionSchema).max(16).optional(),
})

export type SipBalancerStatus = z.output<typeof sipBalancerStatusSchema>
export type BalancedSipProxy = SipBalancerStatus['sipProxies'][number]
