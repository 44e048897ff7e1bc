/**
 * What the announcer tells the balancer whenever it asks for a proof: what this node holds and announces, and how
 * its routers are. Not here: how it is found out (`announcer/`), what is made of it (`report.ts`). Invariant:
 * texts and lists stay within what the schema of the SipBalancer allows.
 */

import type { BfdState, BgpState, SipBalancerStatus } from '@sipcast/crds'
import { isRecord, isText, isTexts, readJson } from './plain-json.ts'

export interface Announcement {
  /** Addresses that routers may be told of: the copies on the link of ours. */
  readonly announced: readonly string[]
  /** Addresses on the loopback interface that are ours. */
  readonly held: readonly string[]
  /**
   * Somebody wants this node out of service, as a directory says; null: it has not been read yet. A cluster tells the
   * balancer itself.
   */
  readonly isInMaintenance: boolean | null
  /** Null: this node announces to nobody (`announce: none`). */
  readonly sessions: readonly BgpSessionStatus[] | null
  /** BgpPeers that select this node. */
  readonly sessionsWanted: number
  /** What keeps this node from announcing as it should. */
  readonly problems: readonly AnnouncementProblem[]
}

export interface HeardAnnouncement extends Announcement {
  /** What was said, as text: differs whenever anything in it does. */
  readonly text: string
}

export type BgpSessionStatus = NonNullable<SipBalancerStatus['bgpSessions']>[number]

export interface AnnouncementProblem {
  /** CamelCase, from a closed set. */
  readonly reason: string
  readonly message: string
}

export function heard(announcement: Announcement): HeardAnnouncement {
  return { ...announcement, text: JSON.stringify(announcement) }
}

/** Reads what the announcer sent; null if it is none. */
export function parseAnnouncement(text: string): Announcement | null {
  const document = readJson(text)
  return isAnnouncement(document) ? document : null
}

// Both by hand, as long as the types say: the schemas would bring zod along.
const BGP_STATES: Readonly<Record<BgpState, true>> = {
  Idle: true,
  Connect: true,
  Active: true,
  OpenSent: true,
  OpenConfirm: true,
  Established: true,
}
const BFD_STATES: Readonly<Record<BfdState, true>> = { Off: true, Down: true, Init: true, Up: true }

function isAnnouncement(value: unknown): value is Announcement {
  if (!isRecord(value)) return false
  const { announced, held, isInMaintenance, sessions, sessionsWanted, problems } = value
  return (
    isTexts(announced) &&
    isTexts(held) &&
    (isInMaintenance === null || typeof isInMaintenance === 'boolean') &&
    (sessions === null || isListOf(sessions, isSession)) &&
    isCount(sessionsWanted) &&
    isListOf(problems, isProblem)
  )
}

function isSession(value: unknown): boolean {
  if (!isRecord(value)) return false
  const { peer, peerAddress, state, since, bfd, announced, message } = value
  const areTexts = [peerAddress, since, message].every((one) => one === undefined || isText(one))
  return (
    isText(peer) &&
    areTexts &&
    isOneOf(BGP_STATES, state) &&
    (bfd === undefined || isOneOf(BFD_STATES, bfd)) &&
    (announced === undefined || isCount(announced))
  )
}

function isProblem(value: unknown): boolean {
  if (!isRecord(value)) return false
  const { reason, message } = value
  return isText(reason) && /^[A-Z][A-Za-z0-9]{1,63}$/.test(reason) && isText(message)
}

function isListOf(value: unknown, isOne: (one: unknown) => boolean): boolean {
  return Array.isArray(value) && value.every(isOne)
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

function isOneOf(states: Readonly<Record<string, true>>, value: unknown): boolean {
  return isText(value) && Object.hasOwn(states, value)
}
