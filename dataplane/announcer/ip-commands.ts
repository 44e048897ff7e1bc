/**
 * The language of the `ip` program: a plan as lines of its batch mode, and what it prints as facts. Not here:
 * running it (`io/`). Invariants: an address is added only where there is none (`add` fails otherwise) and
 * changed only where it is ours; what we add carries our mark: the label for IPv4, the metric for IPv6, which
 * has no labels (`proto` would do for both, but needs a newer iproute2 than Debian 12's 6.1).
 */

import { canonicalAddress, isIPv4Text } from '../address-text.ts'
import type { HoldPlan, PresentAddress } from './hold.ts'
import { IPV6_METRIC, LABEL_SUFFIX, LIFETIME_SECONDS } from './limits.ts'

export const HoldAction = { add: 'add', renew: 'renew', remove: 'remove' } as const
export type HoldAction = (typeof HoldAction)[keyof typeof HoldAction]

export interface IpCommand {
  readonly action: HoldAction
  readonly address: string
  /** A line for `ip -batch`. */
  readonly line: string
}

/** What is no longer wanted goes first: its place may be wanted for another. */
export function ipCommands(plan: HoldPlan, device: string): readonly IpCommand[] {
  const command = (action: HoldAction, verb: string, tail: (address: string) => string) => {
    return (address: string): IpCommand => ({
      action,
      address,
      line: `address ${verb} ${address}/${isIPv4Text(address) ? 32 : 128} dev ${device}${tail(address)}`,
    })
  }
  const held = (address: string): string => ` ${marks(address, device)}`
  return [
    ...plan.remove.map(command(HoldAction.remove, 'del', () => '')),
    ...plan.renew.map(command(HoldAction.renew, 'change', held)),
    ...plan.add.map(command(HoldAction.add, 'add', held)),
  ]
}

/** Preferred lifetime 0: nobody takes it for the node's own address or as a source. */
function marks(address: string, device: string): string {
  const mark = isIPv4Text(address)
    ? `label ${device}:${LABEL_SUFFIX}`
    : `nodad metric ${IPV6_METRIC}`
  return `${mark} valid_lft ${LIFETIME_SECONDS} preferred_lft 0`
}

/** Reads `ip -json address show`; null if it is something else. */
export function parseAddresses(text: string): readonly PresentAddress[] | null {
  const links = parseJson(text)
  if (!Array.isArray(links)) return null
  return links.filter(isRecord).flatMap((link) => {
    const name = String(link['ifname'])
    const addresses = Array.isArray(link['addr_info']) ? link['addr_info'] : []
    return addresses.filter(isRecord).flatMap(({ local, label, metric }) => {
      const address = canonicalAddress(String(local))
      if (address === null) return []
      const isOurs = isIPv4Text(address)
        ? label === `${name}:${LABEL_SUFFIX}`
        : metric === IPV6_METRIC
      return [{ interface: name, address, isOurs }]
    })
  })
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
