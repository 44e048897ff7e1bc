/**
 * From an unknown object to a resource, or to problems a person can act on: the field, the rule, and the value that
 * breaks it.
 * Not here: the schemas. Invariant: never throws, whatever it is given, and at most PROBLEMS_MAX problems come back.
 */
import type { z } from 'zod'
import { type BgpPeer, type BgpPeerStatus, bgpPeerSchema, bgpPeerStatusSchema } from './bgp-peer.ts'
import {
  type SipBalancer,
  type SipBalancerStatus,
  sipBalancerSchema,
  sipBalancerStatusSchema,
} from './sip-balancer.ts'
import { type SipProxy, sipProxySchema } from './sip-proxy.ts'
import { type SipProxyStatus, sipProxyStatusSchema } from './sip-proxy-status.ts'

const PROBLEMS_MAX = 16
const SHOWN_LENGTH_MAX = 60

export interface Problem {
  /** The field, as one would write it: `spec.proxies.static[2].weight`; empty for the whole object. */
  readonly path: string
  readonly message: string
}

export type Parsed<K extends string, T> =
  | ({ readonly ok: true } & { readonly [key in K]: T })
  | { readonly ok: false; readonly problems: readonly Problem[] }

export function parseSipProxy(object: unknown): Parsed<'sipProxy', SipProxy> {
  const parsed = sipProxySchema.safeParse(object)
  if (!parsed.success) return { ok: false, problems: problemsOf(parsed.error, object) }
  const { namespace, name, annotations } = parsed.data.metadata
  return {
    ok: true,
    sipProxy: { namespace, name, annotations: annotations ?? {}, spec: parsed.data.spec },
  }
}

export function parseSipProxyStatus(object: unknown): Parsed<'status', SipProxyStatus> {
  const parsed = sipProxyStatusSchema.safeParse(object)
  if (!parsed.success) return { ok: false, problems: problemsOf(parsed.error, object) }
  return { ok: true, status: parsed.data }
}

export function parseBgpPeer(object: unknown): Parsed<'bgpPeer', BgpPeer> {
  const parsed = bgpPeerSchema.safeParse(object)
  if (!parsed.success) return { ok: false, problems: problemsOf(parsed.error, object) }
  const { metadata, spec } = parsed.data
  return { ok: true, bgpPeer: { name: metadata.name, spec } }
}

export function parseBgpPeerStatus(object: unknown): Parsed<'status', BgpPeerStatus> {
  const parsed = bgpPeerStatusSchema.safeParse(object)
  if (!parsed.success) return { ok: false, problems: problemsOf(parsed.error, object) }
  return { ok: true, status: parsed.data }
}

export function parseSipBalancer(object: unknown): Parsed<'sipBalancer', SipBalancer> {
  const parsed = sipBalancerSchema.safeParse(object)
  if (!parsed.success) return { ok: false, problems: problemsOf(parsed.error, object) }
  const { metadata, spec } = parsed.data
  return { ok: true, sipBalancer: { name: metadata.name, spec } }
}

export function parseSipBalancerStatus(object: unknown): Parsed<'status', SipBalancerStatus> {
  const parsed = sipBalancerStatusSchema.safeParse(object)
  if (!parsed.success) return { ok: false, problems: problemsOf(parsed.error, object) }
  return { ok: true, status: parsed.data }
}

/** Problems in one line, for a condition's message or a log. */
export function describeProblems(problems: readonly Problem[]): string {
  return problems
    .map(({ path, message }) => (path === '' ? message : `${path}: ${message}`))
    .join('; ')
}

function problemsOf(error: z.ZodError, object: unknown): readonly Problem[] {
  return error.issues.flatMap((issue) => problemsOfIssue(issue, object)).slice(0, PROBLEMS_MAX)
}

function problemsOfIssue(issue: z.core.$ZodIssue, object: unknown): readonly Problem[] {
  const path = pathText(issue.path)
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      path: path === '' ? key : `${path}.${key}`,
      message: 'is not a known field',
    }))
  }
  return [{ path, message: messageOf(issue, valueAt(object, issue.path)) }]
}

function messageOf(issue: z.core.$ZodIssue, value: unknown): string {
  const is = `, is ${shown(value)}`
  if (issue.code === 'invalid_type') {
    return value === undefined ? 'is missing' : `must be of type ${issue.expected}${is}`
  }
  if (issue.code === 'too_small') {
    return `must ${bound(issue.origin, 'at least', Number(issue.minimum))}${sized(issue.origin, is)}`
  }
  if (issue.code === 'too_big') {
    return `must ${bound(issue.origin, 'at most', Number(issue.maximum))}${sized(issue.origin, is)}`
  }
  if (issue.code === 'invalid_value') {
    if (value === undefined) return 'is missing'
    const own = issue.message.startsWith('Invalid') ? '' : issue.message
    return `${own || `must be ${issue.values.map(String).join(' or ')}`}${is}`
  }
  const showValue = issue.code !== 'custom' || typeof value !== 'object'
  return showValue ? `${issue.message}${is}` : issue.message
}

function bound(origin: string, word: string, limit: number): string {
  if (origin === 'array') return `have ${word} ${limit} ${limit === 1 ? 'entry' : 'entries'}`
  if (origin === 'string') return `have ${word} ${limit} characters`
  return `be ${word} ${limit}`
}

function sized(origin: string, is: string): string {
  return origin === 'array' || origin === 'string' ? '' : is
}

function pathText(path: readonly PropertyKey[]): string {
  let text = ''
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`
    else text += text === '' ? String(part) : `.${String(part)}`
  }
  return text
}

function valueAt(object: unknown, path: readonly PropertyKey[]): unknown {
  let value = object
  for (const part of path) {
    if (typeof value !== 'object' || value === null) return undefined
    value = (value as Record<PropertyKey, unknown>)[part]
  }
  return value
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value)
  return text.length <= SHOWN_LENGTH_MAX ? text : `${text.slice(0, SHOWN_LENGTH_MAX)}…`
}
