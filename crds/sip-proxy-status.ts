/**
 * The status of a SipProxy (design section 3), written by the operator only; in directory mode it is the whole of
 * status/NAMESPACE.NAME.json.
 * Not here: what the conditions' reasons are (operator). Invariant: conditions have the Kubernetes shape, one per
 * type.
 */
import { z } from 'zod'

export const ConditionType = {
  accepted: 'Accepted',
  ready: 'Ready',
  degraded: 'Degraded',
  tableInSync: 'TableInSync',
} as const
export type ConditionType = (typeof ConditionType)[keyof typeof ConditionType]

export const ProxyState = {
  unknown: 'Unknown',
  up: 'Up',
  down: 'Down',
  draining: 'Draining',
  notReady: 'NotReady',
} as const
export type ProxyState = (typeof ProxyState)[keyof typeof ProxyState]

/** A condition as metav1.Condition has it. */
export const conditionSchema = z.object({
  type: z.string().max(316).describe('What the condition is about, in CamelCase.'),
  status: z.enum(['True', 'False', 'Unknown']).describe('Whether it holds.'),
  observedGeneration: z
    .int()
    .min(0)
    .optional()
    .describe('Generation of the spec that this condition is about.'),
  lastTransitionTime: z.iso.datetime().describe('When `status` last changed.'),
  reason: z
    .string()
    .max(1024)
    .regex(/^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$/)
    .describe('Why, in one CamelCase word for programs.'),
  message: z.string().max(32768).describe('Why, and what to do about it, in words for people.'),
})

const proxyStatusSchema = z.object({
  name: z.string().max(253).describe('Name of the pod or of the static entry.'),
  address: z.string().max(64).describe('Address and port: `192.0.2.1:5060`, `[2001:db8::1]:5060`.'),
  state: z
    .enum(ProxyState)
    .describe(
      '`Up`: takes users. `Down`: does not answer. `Draining`: keeps calls in progress and takes no new users. `NotReady`: Kubernetes says that it is not ready. `Unknown`: not probed yet.',
    ),
  since: z.iso.datetime().describe('When it came into this state.'),
  reason: z.string().max(1024).describe('Why it is in this state.'),
  slots: z.int().min(0).describe('Slots of the table that it owns.'),
  rttMs: z
    .number()
    .min(0)
    .nullable()
    .default(null)
    .describe(
      'Round-trip time of the last answered probe, in milliseconds. Written along with other changes only, never for its own sake.',
    ),
})

const tableStatusSchema = z.object({
  epoch: z.int().min(0).describe('Number of the newest table; it only grows.'),
  publishedAt: z.iso.datetime().describe('When that table was published.'),
  slots: z.int().min(0).describe('Slots of the table.'),
  lastMoves: z.int().min(0).describe('Slots that changed their owner with that table.'),
})

const summarySchema = z.object({
  proxies: z.string().max(32).describe('Proxies that take users, of all: `3/3`.'),
  balancers: z
    .string()
    .max(32)
    .describe('Balancers that use the newest table, of all that live: `2/2`.'),
})

export const sipProxyStatusSchema = z.object({
  observedGeneration: z
    .int()
    .min(0)
    .default(0)
    .describe('Generation of the spec that this status is about.'),
  conditions: z
    .array(conditionSchema)
    .max(16)
    .default([])
    .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['type'] })
    .describe(
      '`Accepted`: the spec is valid and in force. `Ready`: accepted, at least one proxy takes users, a table is published and at least one balancer uses it. `Degraded`: something is wrong, and the message says what to do. `TableInSync`: all balancers use the newest table.',
    ),
  proxies: z.array(proxyStatusSchema).max(2048).default([]).describe('The proxies of the pool.'),
  table: tableStatusSchema
    .nullable()
    .default(null)
    .describe('The newest table of slots and their owners; null while there is none.'),
  summary: summarySchema
    .default({ proxies: '0/0', balancers: '0/0' })
    .describe('Sums, for `kubectl get`.'),
})

export type Condition = z.output<typeof conditionSchema>
export type SipProxyStatus = z.output<typeof sipProxyStatusSchema>
export type ProxyStatus = SipProxyStatus['proxies'][number]
