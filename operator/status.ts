/**
 * The status of a SipProxy from what a pass found and did (design section 3). Pure.
 * Not here: writing it. Invariants: a condition's lastTransitionTime changes only with its status; two statuses that
 * differ in rttMs alone count as the same; every False or Degraded message says what to do, or that nothing needs to
 * be done.
 */
import {
  AddressState,
  type Condition,
  ConditionType,
  type ProxyStatus,
  type SipProxyStatus,
} from '@sipcast/crds'
import type { BalancerView } from './balancers.ts'

export interface Finding {
  /** CamelCase. */
  readonly reason: string
  readonly message: string
}

export interface StatusInput {
  /** Of the object as found. */
  readonly generation: number
  /** Null: accepted. */
  readonly refused: Finding | null
  readonly proxies: readonly ProxyStatus[]
  readonly eligible: number
  readonly table: SipProxyStatus['table']
  /** Null: there is none in our hands. */
  readonly tableSha256: string | null
  /** Of the object whose table it is. */
  readonly tableUid: string | null
  /** Why there is no table yet. */
  readonly unpublished: Finding | null
  /** Worst first. */
  readonly troubles: readonly Finding[]
  readonly balancers: readonly BalancerView[]
  readonly last: SipProxyStatus | null
  /** ISO. */
  readonly now: string
}

export function statusOf(input: StatusInput): SipProxyStatus {
  const inSync = input.balancers.filter((view) => usesTable(view, input.tableSha256))
  const conditions = [acceptedOf(input), readyOf(input), degradedOf(input), inSyncOf(input, inSync)]
  return {
    observedGeneration: input.generation,
    conditions: conditions.map((condition) => withTransition(condition, input)),
    proxies: [...input.proxies],
    table: input.table,
    summary: {
      proxies: `${input.eligible}/${input.proxies.length}`,
      balancers: `${inSync.length}/${input.balancers.length}`,
    },
  }
}

/** Whether writing `next` over `last` would say anything new. */
export function sameStatus(last: SipProxyStatus | null, next: SipProxyStatus): boolean {
  return last !== null && withoutRtt(last) === withoutRtt(next)
}

type Stand = Pick<Condition, 'type' | 'status' | 'reason' | 'message'>

function acceptedOf({ refused }: StatusInput): Stand {
  const type = ConditionType.accepted
  return refused === null
    ? { type, status: 'True', reason: 'Accepted', message: 'The spec is valid and in force.' }
    : { type, status: 'False', ...refused }
}

/**
 * Accepted ∧ at least one eligible proxy ∧ published ∧ at least one balancer using it, bound. Any table of this object
 * will do there: whether it is the newest is TableInSync's business, and a SipProxy that serves does not stop
 * being ready for each new epoch.
 */
function readyOf(input: StatusInput): Stand {
  const { refused, proxies, eligible, unpublished, balancers, tableUid } = input
  const table = input.tableSha256 === null ? null : input.table
  const type = ConditionType.ready
  const no = (reason: string, message: string): Stand => ({
    type,
    status: 'False',
    reason,
    message,
  })
  if (refused !== null) return no('NotAccepted', refused.message)
  if (proxies.length === 0) {
    return no('NoProxies', 'No proxy matches the spec: add static proxies or pods.')
  }
  if (table === null) {
    const { reason, message } = unpublished ?? { reason: 'NotPublished', message: 'No table yet.' }
    return no(reason, message)
  }
  if (eligible === 0) {
    const message = `None of ${proxies.length} proxies takes users: see their reasons in status.proxies.`
    return no('NoEligibleProxy', message)
  }
  const using = balancers.filter(({ entry }) => entry.uid === tableUid)
  if (using.length === 0) {
    const message = `No balancer uses epoch ${table.epoch} yet: see that balancers run.`
    return no('NoBalancer', message)
  }
  const serving = using.filter(({ entry }) => entry.addresses.some(isBound)).length
  if (serving === 0) {
    const message = `No balancer has an address of spec.addresses bound: see status.sipProxies[].addresses of the SipBalancers.`
    return no('AddressNotBound', message)
  }
  const message = `${eligible} of ${proxies.length} proxies take users, through ${count(serving, 'balancer')}.`
  return { type, status: 'True', reason: 'Serving', message }
}

function degradedOf({ troubles }: StatusInput): Stand {
  const type = ConditionType.degraded
  const [worst] = troubles
  if (worst === undefined) {
    return { type, status: 'False', reason: 'AsExpected', message: 'Nothing is wrong.' }
  }
  const message = troubles.map((trouble) => trouble.message).join(' ')
  return { type, status: 'True', reason: worst.reason, message }
}

function inSyncOf(input: StatusInput, inSync: readonly BalancerView[]): Stand {
  const type = ConditionType.tableInSync
  const { table, tableSha256, balancers } = input
  if (table === null || tableSha256 === null) {
    return { type, status: 'False', reason: 'NotPublished', message: 'There is no table yet.' }
  }
  if (balancers.length === 0) {
    const message = 'No balancer with a fresh heartbeat reports this SipProxy.'
    return { type, status: 'False', reason: 'NoBalancer', message }
  }
  const late = balancers.filter((view) => !inSync.includes(view))
  if (late.length === 0) {
    const message = `All of ${count(balancers.length, 'balancer')} use epoch ${table.epoch}.`
    return { type, status: 'True', reason: 'InSync', message }
  }
  const names = late
    .slice(0, NAMED_MAX)
    .map(({ balancer, entry }) => `${balancer} (epoch ${entry.epoch ?? 'none'})`)
  const more = late.length > NAMED_MAX ? ` and ${late.length - NAMED_MAX} more` : ''
  const message = `${inSync.length} of ${count(balancers.length, 'balancer')} use epoch ${table.epoch}; not yet: ${names.join(', ')}${more}.`
  return { type, status: 'False', reason: 'Updating', message }
}

/** How many names a message lists before it only counts. */
const NAMED_MAX = 5

function isBound({ state }: BalancerView['entry']['addresses'][number]): boolean {
  return state === AddressState.bound
}

function usesTable({ entry }: BalancerView, sha256: string | null): boolean {
  return sha256 !== null && entry.sha256 === sha256
}

function withTransition(stand: Stand, { last, now, generation }: StatusInput): Condition {
  const before = last?.conditions.find(({ type }) => type === stand.type)
  const lastTransitionTime = before?.status === stand.status ? before.lastTransitionTime : now
  const { type, status, reason, message } = stand
  return { type, status, observedGeneration: generation, lastTransitionTime, reason, message }
}

function withoutRtt(status: SipProxyStatus): string {
  return JSON.stringify({
    ...status,
    proxies: status.proxies.map((proxy) => ({ ...proxy, rttMs: null })),
  })
}

/** "1 proxy", "3 proxies". */
export function count(number: number, noun: string, nouns = `${noun}s`): string {
  return `${number} ${number === 1 ? noun : nouns}`
}
