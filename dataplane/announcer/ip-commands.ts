/**
 * The language of the `ip` program: a plan as lines of its batch mode, and what it prints as facts. Not here:
 * running it (`io/`). Invariants: an address is added only where there is none (`add` fails otherwise) and
 * changed only where it is ours (`change` adds what has lapsed meanwhile); what we hold carries our mark: the label
 * for IPv4, the metric for IPv6, which has no labels (`proto` would do for both, but needs a newer iproute2 than
 * Debian 12's 6.1); what we announce is on a link of ours.
 */

import { canonicalAddress, isIPv4Text } from '../address-text.ts'
import { ANNOUNCE_LINK } from './bird/limits.ts'
import { type CopyPlan, isOurLink, type PresentLink } from './copies.ts'
import type { HoldPlan, PresentAddress } from './hold.ts'
import { IPV6_METRIC, LABEL_SUFFIX, LIFETIME_SECONDS } from './limits.ts'

export const HoldAction = { add: 'add', renew: 'renew', remove: 'remove' } as const
export type HoldAction = (typeof HoldAction)[keyof typeof HoldAction]

export interface IpCommand {
  readonly action: HoldAction
  readonly address: string
  /** The interface. */
  readonly device: string
  /** A line for `ip -batch`. */
  readonly line: string
}

/** What `ip` knows of the node, as far as it matters here. */
export interface Present {
  /** Of all interfaces. */
  readonly addresses: readonly PresentAddress[]
  /** The one of the announced copies; null: there is none. */
  readonly link: PresentLink | null
}

export interface PlacedPlan {
  readonly hold: Omit<HoldPlan, 'refused'>
  /** Of the held addresses. */
  readonly device: string
  readonly copies: CopyPlan
  readonly copySeconds: number
}

/** What is no longer wanted goes first, announced before held; what is new is held before it is announced. */
export function ipCommands({
  hold,
  device,
  copies,
  copySeconds,
}: PlacedPlan): readonly IpCommand[] {
  const holding = (address: string): string => {
    const mark = isIPv4Text(address)
      ? `label ${device}:${LABEL_SUFFIX}`
      : `nodad metric ${IPV6_METRIC}`
    return ` ${mark}${lifetime(LIFETIME_SECONDS)}`
  }
  const copying = copyTail(copySeconds)
  return [
    ...copies.remove.map(command(HoldAction.remove, ANNOUNCE_LINK)),
    ...hold.remove.map(command(HoldAction.remove, device)),
    ...hold.renew.map(command(HoldAction.renew, device, holding)),
    ...hold.add.map(command(HoldAction.add, device, holding)),
    ...copies.renew.map(command(HoldAction.renew, ANNOUNCE_LINK, copying)),
    ...copies.add.map(command(HoldAction.add, ANNOUNCE_LINK, copying)),
  ]
}

/** Renews these copies, and nothing else. */
export function copyRenewals(addresses: readonly string[], seconds: number): readonly IpCommand[] {
  return addresses.map(command(HoldAction.renew, ANNOUNCE_LINK, copyTail(seconds)))
}

/** Makes the link where it is missing. It has no addresses of its own, so that all on it are ours. */
export function linkCommands(link: PresentLink | null, kind: string): readonly string[] {
  const added = [
    `link add ${ANNOUNCE_LINK} type ${kind}`,
    `link set ${ANNOUNCE_LINK} addrgenmode none`,
  ]
  return [...(link === null ? added : []), `link set ${ANNOUNCE_LINK} up`]
}

export const LINK_REMOVAL = `link del ${ANNOUNCE_LINK}`

const VERBS = { add: 'add', renew: 'change', remove: 'del' } as const

function command(action: HoldAction, device: string, tail: (address: string) => string = () => '') {
  return (address: string): IpCommand => {
    const length = isIPv4Text(address) ? 32 : 128
    const line = `address ${VERBS[action]} ${address}/${length} dev ${device}${tail(address)}`
    return { action, address, device, line }
  }
}

function copyTail(seconds: number) {
  return (address: string): string => `${isIPv4Text(address) ? '' : ' nodad'}${lifetime(seconds)}`
}

/** Preferred lifetime 0: nobody takes it for the node's own address or as a source. */
function lifetime(seconds: number): string {
  return ` valid_lft ${seconds} preferred_lft 0`
}

/** Reads `ip -json -details address show`; null if it is something else. */
export function parsePresent(text: string): Present | null {
  const links = parseJson(text)
  if (!Array.isArray(links)) return null
  const records = links.filter(isRecord)
  const own = records.find((link) => link['ifname'] === ANNOUNCE_LINK)
  const link = own === undefined ? null : linkOf(own)
  const isOnOurs = (name: string) => name === ANNOUNCE_LINK && link !== null && isOurLink(link)
  const addresses = records.flatMap((record) => {
    const name = String(record['ifname'])
    const infos = Array.isArray(record['addr_info']) ? record['addr_info'] : []
    return infos.filter(isRecord).flatMap(({ local, label, metric }) => {
      const address = canonicalAddress(String(local))
      if (address === null) return []
      const isMarked = isIPv4Text(address)
        ? label === `${name}:${LABEL_SUFFIX}`
        : metric === IPV6_METRIC
      return [{ interface: name, address, isOurs: isMarked || isOnOurs(name) }]
    })
  })
  return { addresses, link }
}

function linkOf({ flags, linkinfo }: Record<string, unknown>): PresentLink {
  const kind = isRecord(linkinfo) ? linkinfo['info_kind'] : undefined
  return {
    kind: typeof kind === 'string' ? kind : null,
    isUp: Array.isArray(flags) && flags.includes('UP'),
  }
}

/** What `ip -force -batch` complained about, by line from 1. */
export function batchFailures(stderr: string): ReadonlyMap<number, string> {
  const failures = new Map<number, string>()
  let words: string[] = []
  for (const line of stderr.split('\n')) {
    const failed = /^Command failed .*:(\d+)$/.exec(line)
    if (failed === null) {
      if (line !== '') words.push(line)
      continue
    }
    failures.set(Number(failed[1]), words.join(' '))
    words = []
  }
  return failures
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // Whoever asked says what it was that is no JSON.
    return null
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
