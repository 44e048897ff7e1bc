/**
 * Whether this node is fit for a balancer: one line per check, before one is started or when something is odd.
 * Not here: reading the machine (`io/machine-facts.ts`), mending it. Invariants: `fail` is what keeps packets
 * from being served, `warn` what costs some of them one day; a check that does not apply says why.
 */

import { AddressPools } from './announcer/hold.ts'
import { isIPv4Text } from './address-text.ts'
import { RECEIVE_BUFFER_BYTES } from './limits.ts'
import type { InsideAddress } from './worker-config.ts'

export interface MachineFacts {
  /** What /proc/sys says, by dotted name; what is missing there is missing here. */
  readonly settings: ReadonlyMap<string, string>
  readonly addresses: readonly { readonly interface: string; readonly address: string }[]
  readonly udpSockets: readonly UdpSocketFact[]
  /** Ours; a balancer that runs already has the same. */
  readonly uid: number
}

export interface UdpSocketFact {
  readonly address: string
  readonly port: number
  readonly uid: number
}

export interface PreflightQuestion {
  readonly inside: readonly InsideAddress[]
  /** Shared addresses to be served. */
  readonly addresses: readonly string[]
  readonly port: number
  readonly insideSource: 'Node' | 'Shared'
}

export interface Check {
  readonly name: string
  readonly verdict: 'ok' | 'warn' | 'fail'
  readonly message: string
}

/** Of the connections that the kernel can track. */
const CONNTRACK_SHARE_MAX = 0.8

export function preflight(question: PreflightQuestion, facts: MachineFacts): readonly Check[] {
  const uplinks = [...new Set(question.inside.flatMap(({ address }) => placesOf(address, facts)))]
  const ports = [
    ...question.inside,
    ...question.addresses.map((address) => ({ address, port: question.port })),
  ]
  return [
    receiveBuffer(facts),
    ...question.inside.map((inside) => insideAddress(inside, facts)),
    ...question.addresses.map((address) => sharedAddress(address, facts)),
    ...ports.map((endpoint) => portFree(endpoint, facts)),
    ...uplinks.flatMap((uplink) => [
      reversePath(uplink, question, facts),
      acceptLocal(uplink, question, facts),
      ...redirects(uplink, facts),
    ]),
    conntrack(facts),
  ]
}

function receiveBuffer({ settings }: MachineFacts): Check {
  const name = 'receive-buffer'
  const text = settings.get('net.core.rmem_max')
  // The kernel shows it in the machine's own network namespace only.
  if (text === undefined) return { name, verdict: 'warn', message: 'net.core.rmem_max is hidden' }
  const bytes = Number(text)
  const message = `net.core.rmem_max is ${bytes}`
  if (bytes >= RECEIVE_BUFFER_BYTES) return { name, verdict: 'ok', message }
  const remedy = `below ${RECEIVE_BUFFER_BYTES}: bursts are dropped; sysctl -w net.core.rmem_max=${RECEIVE_BUFFER_BYTES}`
  return { name, verdict: 'warn', message: `${message}, ${remedy}` }
}

function insideAddress({ address }: InsideAddress, facts: MachineFacts): Check {
  const name = 'inside-address'
  const [place] = placesOf(address, facts)
  return place === undefined
    ? { name, verdict: 'fail', message: `${address} is on no interface of this node` }
    : { name, verdict: 'ok', message: `${address} is on ${place}` }
}

function sharedAddress(address: string, facts: MachineFacts): Check {
  const name = 'shared-address'
  const refusal = new AddressPools(null).refusal(address)
  if (refusal !== null) return { name, verdict: 'fail', message: `${address}: ${refusal}` }
  const places = placesOf(address, facts)
  const own = places.find((place) => place !== 'lo')
  if (own !== undefined) {
    return { name, verdict: 'fail', message: `${address} is the node's own, on ${own}` }
  }
  const state = places.length > 0 ? 'held on lo' : 'not held yet: that is up to the announcer'
  return { name, verdict: 'ok', message: `${address} is ${state}` }
}

function portFree({ address, port }: InsideAddress, { udpSockets, uid }: MachineFacts): Check {
  const name = 'port'
  const endpoint = `${address} port ${port}`
  const wildcards = isIPv4Text(address) ? ['0.0.0.0', '::'] : ['::']
  const taken = udpSockets.filter(
    (socket) =>
      socket.port === port && (socket.address === address || wildcards.includes(socket.address)),
  )
  const foreign = taken.find((socket) => socket.uid !== uid)
  if (foreign !== undefined) {
    const message = `${endpoint} is taken by user ${foreign.uid} (socket on ${foreign.address})`
    return { name, verdict: 'fail', message }
  }
  const state = taken.length > 0 ? 'used by our own user, as by a balancer that runs' : 'free'
  return { name, verdict: 'ok', message: `${endpoint} is ${state}` }
}

function reversePath(uplink: string, { insideSource }: PreflightQuestion, facts: MachineFacts) {
  const name = 'rp-filter'
  const value = Math.max(
    ofInterface('rp_filter', 'all', facts),
    ofInterface('rp_filter', uplink, facts),
  )
  const message = `rp_filter on ${uplink} is ${value}`
  if (value !== 1) return { name, verdict: 'ok', message } as const
  return insideSource === 'Shared'
    ? ({ name, verdict: 'fail', message: `${message}: insideSource Shared needs 0 or 2` } as const)
    : ({
        name,
        verdict: 'warn',
        message: `${message}: what comes in where its answer would not go out is dropped`,
      } as const)
}

function acceptLocal(uplink: string, { insideSource }: PreflightQuestion, facts: MachineFacts) {
  const name = 'accept-local'
  const isOn = ['all', uplink].some((place) => ofInterface('accept_local', place, facts) === 1)
  const message = `accept_local on ${uplink} is ${isOn ? 1 : 0}`
  if (isOn) return { name, verdict: 'ok', message } as const
  return insideSource === 'Shared'
    ? ({ name, verdict: 'fail', message: `${message}: insideSource Shared needs 1` } as const)
    : ({ name, verdict: 'ok', message: `${message}: enough for insideSource Node` } as const)
}

/** A redirect learnt from a router would pin phones or proxies to one way: "on a common segment, send there". */
function redirects(uplink: string, facts: MachineFacts): readonly Check[] {
  const name = 'icmp-redirects'
  const isForwarding = facts.settings.get('net.ipv4.ip_forward') === '1'
  const values = ['all', uplink].map((place) => ofInterface('accept_redirects', place, facts) === 1)
  const accepts4 = isForwarding ? values.every((on) => on) : values.some((on) => on)
  const accepts6 =
    facts.settings.get(`net.ipv6.conf.${uplink}.accept_redirects`) === '1' &&
    facts.settings.get(`net.ipv6.conf.${uplink}.forwarding`) !== '1'
  const versions = [accepts4 ? 'IPv4' : '', accepts6 ? 'IPv6' : ''].filter((one) => one !== '')
  const message =
    versions.length === 0
      ? `${uplink} accepts none`
      : `${uplink} accepts them (${versions.join(', ')}): they may lead packets past a balancer`
  return [{ name, verdict: versions.length === 0 ? 'ok' : 'warn', message }]
}

function conntrack({ settings }: MachineFacts): Check {
  const name = 'conntrack'
  const max = Number(settings.get('net.netfilter.nf_conntrack_max') ?? 0)
  if (max === 0) return { name, verdict: 'ok', message: 'the kernel tracks no connections' }
  const count = Number(settings.get('net.netfilter.nf_conntrack_count') ?? 0)
  const message = `${count} of ${max} connections tracked; every phone is one`
  return { name, verdict: count > max * CONNTRACK_SHARE_MAX ? 'warn' : 'ok', message }
}

function ofInterface(setting: string, place: string, { settings }: MachineFacts): number {
  return Number(settings.get(`net.ipv4.conf.${place}.${setting}`) ?? 0)
}

function placesOf(address: string, { addresses }: MachineFacts): readonly string[] {
  return addresses.filter((one) => one.address === address).map((one) => one.interface)
}
