/**
 * What has changed between two reports of one balancer about announcing: notices, which are Events on Kubernetes. Pure.
 * Not here: what the operator makes of reports otherwise (balancers.ts). Invariants: of a balancer's first report
 * nothing is news, since what it says may be old; going away in order is no warning.
 */
import { BgpState, type Condition, type SipBalancerStatus } from '@sipcast/crds'
import type { BalancerReport, Notice } from './ports.ts'

type Session = NonNullable<SipBalancerStatus['bgpSessions']>[number]

/** Why a node announces nothing when it is meant to, or does so in a moment. */
const IN_ORDER = new Set(['Leaving', 'Maintenance', 'Stopped', 'NotAnnouncedYet'])

/** @param last null: there was none */
export function announceNews(
  last: BalancerReport | null,
  { name, status }: BalancerReport,
): readonly Notice[] {
  if (last === null) return []
  const isInOrder = IN_ORDER.has(conditionOf(status)?.reason ?? '')
  return [
    ...standNews(name, last.status, status),
    ...problemNews(name, last.status, status),
    ...sessionNews(name, last.status, status, isInOrder),
    ...addressNews(name, last.status, status, isInOrder),
  ]
}

/** Of the node as a whole. */
function standNews(
  name: string,
  last: SipBalancerStatus,
  next: SipBalancerStatus,
): readonly Notice[] {
  const before = conditionOf(last)
  const now = conditionOf(next)
  if (now === undefined || now.reason === before?.reason) return []
  const isWell = now.status === 'True' || IN_ORDER.has(now.reason)
  const { reason, message } = now
  return [{ level: isWell ? 'info' : 'warn', event: reason, about: aboutBalancer(name), message }]
}

/** Those of the node: what a SipProxy has as a problem is told with it. */
function problemNews(
  name: string,
  last: SipBalancerStatus,
  next: SipBalancerStatus,
): readonly Notice[] {
  const own = next.sipProxies.flatMap(({ problems }) => problems.map(({ message }) => message))
  const told = [
    conditionOf(next)?.message ?? '',
    ...own,
    ...(last.problems ?? []).map(({ message }) => message),
  ]
  const about = aboutBalancer(name)
  return (next.problems ?? [])
    .filter(({ message }) => !told.includes(message))
    .map(({ reason, message }): Notice => ({ level: 'warn', event: reason, about, message }))
}

function sessionNews(
  name: string,
  last: SipBalancerStatus,
  next: SipBalancerStatus,
  isInOrder: boolean,
): readonly Notice[] {
  const before = new Map(last.bgpSessions?.map((session) => [session.peer, session]))
  const now = new Map(next.bgpSessions?.map((session) => [session.peer, session]))
  const gone = [...before.values()].filter(({ peer }) => !now.has(peer)).filter(isUp)
  return [
    ...[...now.values()].flatMap((session) => changeOf(name, session, before.get(session.peer))),
    ...gone.map((session): Notice => {
      const message = `${sessionText(name, session)} has ended`
      return {
        level: isInOrder ? 'info' : 'warn',
        event: 'BgpSessionDown',
        ...of(session),
        message,
      }
    }),
  ]
}

/** One that went down and came up between two reports has a later `since`. */
function changeOf(name: string, session: Session, last: Session | undefined): readonly Notice[] {
  const wasUp = last !== undefined && isUp(last)
  const text = sessionText(name, session)
  if (isUp(session) && (!wasUp || session.since !== last.since)) {
    const message = wasUp ? `${text} was lost and is established again` : `${text} is established`
    return [{ level: 'info', event: 'BgpSessionUp', ...of(session), message }]
  }
  if (isUp(session) || !wasUp) return []
  const message = `${text} is down: ${session.message ?? session.state}`
  return [{ level: 'warn', event: 'BgpSessionDown', ...of(session), message }]
}

function addressNews(
  name: string,
  last: SipBalancerStatus,
  next: SipBalancerStatus,
  isInOrder: boolean,
): readonly Notice[] {
  const before = announcedByKey(last)
  const now = announcedByKey(next)
  return [...new Set([...before.keys(), ...now.keys()])].flatMap((key): readonly Notice[] => {
    const [was, is] = [before.get(key) ?? [], now.get(key) ?? []]
    const announced = is.filter((address) => !was.includes(address))
    const withdrawn = was.filter((address) => !is.includes(address))
    const level = isInOrder ? 'info' : 'warn'
    return [
      ...announced.map((address): Notice => {
        const message = `${address} is announced by ${name}`
        return { level: 'info', event: 'AddressAnnounced', key, message }
      }),
      ...withdrawn.map((address): Notice => {
        const message = `${address} is announced by ${name} no longer`
        return { level, event: 'AddressWithdrawn', key, message }
      }),
    ]
  })
}

/** Of SipProxies that are announced at all. */
function announcedByKey({ sipProxies }: SipBalancerStatus): ReadonlyMap<string, readonly string[]> {
  const announced = sipProxies.filter((entry) => entry.announced.length > 0)
  return new Map(announced.map((entry) => [`${entry.namespace}/${entry.name}`, entry.announced]))
}

function conditionOf({ conditions }: SipBalancerStatus): Condition | undefined {
  return conditions?.find(({ type }) => type === 'Announcing')
}

function isUp({ state }: Session): boolean {
  return state === BgpState.established
}

function sessionText(name: string, { peerAddress }: Session): string {
  return `session of ${name}${peerAddress === undefined ? '' : ` with ${peerAddress}`}`
}

function of({ peer }: Session) {
  return { about: { kind: 'BgpPeer', name: peer } } as const
}

function aboutBalancer(name: string) {
  return { kind: 'SipBalancer', name } as const
}
