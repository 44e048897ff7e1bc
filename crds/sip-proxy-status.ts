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
  type: z.string().max(316),
  status: z.enum(['True', 'False', 'Unknown']),
  observedGeneration: z.int().min(0).optional(),
  lastTransitionTime: z.iso.datetime(),
  reason: z
    .string()
    .max(1024)
    .regex(/^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$/),
  message: z.string().max(32768),
})

export const sipProxyStatusSchema = z.object({
  observedGeneration: z.int().min(0).default(0),
  conditions: z.array(conditionSchema).max(16).default([]),
  proxies: z
    .array(
      z.object({
        name: z.string().max(253),
        /** Endpoint: `192.0.2.1:5060`, `[2001:db8::1]:5060`. */
        address: z.string().max(64),
        state: z.enum(ProxyState),
        since: z.iso.datetime(),
        reason: z.string().max(1024),
        slots: z.int().min(0),
        rttMs: z.number().min(0).nullable().default(null),
      }),
    )
    .max(2048)
    .default([]),
  table: z
    .object({
      epoch: z.int().min(0),
      publishedAt: z.iso.datetime(),
      slots: z.int().min(0),
      lastMoves: z.int().min(0),
    })
    .nullable()
    .default(null),
  summary: z
    .object({
      /** Eligible of all: "3/3". */
      proxies: z.string().max(32),
      /** Fresh balancers that use the newest table, of all fresh ones: "2/2". */
      balancers: z.string().max(32),
    })
    .default({ proxies: '0/0', balancers: '0/0' }),
})

export type Condition = z.output<typeof conditionSchema>
export type SipProxyStatus = z.output<typeof sipProxyStatusSchema>
export type ProxyStatus = SipProxyStatus['proxies'][number]
