/**
 * From what was found to what is wanted: one typed view of a SipProxy, whether it comes from its spec or, where the
 * spec cannot be read after a restart, from its last table. Pure.
 * Not here: who is up (judge.ts). Invariants: candidates have distinct ids and at most MEMBERS_MAX of them count;
 * everything is valid as a table.
 */
import { isIPv6 } from 'node:net'
import { HandBackPolicy, type SipProxySpec } from '@sipcast/crds'
import {
  canonicalJson,
  defaultSeed,
  type FormerMember,
  MEMBERS_MAX,
  MemberState,
  type Table,
  type TableContent,
} from '@sipcast/mapping'
import type { Pod } from './ports.ts'

/** One proxy that shall be a member. */
export interface Candidate {
  readonly id: string
  readonly address: string
  readonly port: number
  readonly hostAddresses: readonly string[]
  readonly weight: number
  /** By annotation, or by the static entry: gives its slots away in steps. */
  readonly drain: boolean
  /** A pod that is being deleted: loses its slots at once, but stays a member. */
  readonly deleting: boolean
  /** ContainersReady and other gates; always true of static proxies. */
  readonly ready: boolean
  /** Null: a static proxy, or one known from the last table alone. */
  readonly pod: Pod | null
}

/** What the spec says of the table, in the table's words. */
export type WantedFields = Pick<
  TableContent,
  | 'addresses'
  | 'port'
  | 'aliases'
  | 'domains'
  | 'edge'
  | 'probe'
  | 'panicPercent'
  | 'slots'
  | 'key'
  | 'seed'
>

export interface Wanted {
  readonly fields: WantedFields
  readonly handBack: SipProxySpec['mapping']['handBack']
  readonly candidates: readonly Candidate[]
}

const WEIGHT_ANNOTATION = 'sipcast.io/weight'
const DRAIN_ANNOTATION = 'sipcast.io/drain'

export function wantedOfSpec(
  namespace: string,
  name: string,
  spec: SipProxySpec,
  pods: readonly Pod[],
): Wanted {
  const { addresses, port, aliases, domains, edge, probe, mapping } = spec
  const { slots, key, panicPercent, handBack } = mapping
  return {
    fields: {
      addresses,
      port,
      aliases,
      domains,
      edge,
      probe,
      panicPercent,
      slots,
      key,
      seed: mapping.seed ?? defaultSeed(namespace, name),
    },
    handBack,
    candidates: candidatesOf(spec, pods),
  }
}

/** The last table as a wish: what is served on while nobody can read the spec. Hand-back is at its defaults. */
export function wantedOfTable(table: Table): Wanted {
  const { addresses, port, aliases, domains, edge, probe, panicPercent, slots, key, seed } = table
  return {
    fields: { addresses, port, aliases, domains, edge, probe, panicPercent, slots, key, seed },
    handBack: {
      policy: HandBackPolicy.auto,
      afterMs: 30_000,
      maxMovedPercent: 10,
      perMs: 10_000,
    },
    candidates: table.members.map(
      ({ id, address, port: ownPort, hostAddresses, weight, state }) => ({
        id,
        address,
        port: ownPort,
        hostAddresses,
        weight,
        drain: state === MemberState.draining,
        deleting: false,
        ready: true,
        pod: null,
      }),
    ),
  }
}

/** Whether a table says what is wanted, members' states and slots aside. */
export function isWantedBy(wanted: Wanted, table: Table): boolean {
  const said = wantedOfTable(table)
  return (
    sameJson(said.fields, wanted.fields) &&
    sameJson(
      said.candidates.map(placeOf).toSorted(byId),
      wanted.candidates.map(placeOf).toSorted(byId),
    )
  )
}

/** Where each endpoint of the SipProxy is served: `address port`. */
export function endpointsOf({
  addresses,
  port,
}: Pick<WantedFields, 'addresses' | 'port'>): readonly string[] {
  return addresses.map((address) => `${address} ${port}`)
}

/**
 * Members that left or moved are remembered for their tokens' sake; the newest are kept, none that is a member now.
 * Entries past their time go with the next change: they are no reason for a new table.
 */
export function formerOf(options: {
  readonly last: Table | null
  readonly candidates: readonly Candidate[]
  readonly now: string
  readonly until: string
  readonly max: number
}): readonly FormerMember[] {
  const { last, candidates, now, until, max } = options
  if (last === null) return []
  const current = new Set(candidates.map(endpointText))
  const remembered = last.former.filter((one) => !current.has(endpointText(one)))
  const left = last.members
    .filter((member) => !current.has(endpointText(member)))
    .map(({ address, port }) => ({ address, port, until }))
  if (left.length === 0 && remembered.length === last.former.length) return last.former
  const again = new Set(left.map(endpointText))
  return [
    ...left,
    ...remembered.filter((one) => one.until > now && !again.has(endpointText(one))),
  ].slice(0, max)
}

function endpointText({ address, port }: { address: string; port: number }): string {
  return `${address} ${port}`
}

function candidatesOf(
  { addresses: shared, proxies }: SipProxySpec,
  pods: readonly Pod[],
): readonly Candidate[] {
  const byIds = new Map<string, Candidate>()
  for (const pod of pods) {
    const address = addressOf(pod, shared)
    if (address !== null) byIds.set(pod.name, candidateOfPod(pod, address, proxies.port))
  }
  // A static entry with the name of a pod is what a person wrote: it counts.
  for (const { name, address, port, weight, drain } of proxies.static) {
    byIds.set(name, {
      id: name,
      address,
      port,
      hostAddresses: [],
      weight,
      drain,
      deleting: false,
      ready: true,
      pod: null,
    })
  }
  return [...byIds.values()].toSorted(byId).slice(0, MEMBERS_MAX)
}

/** Of a pod with both IP versions, the address of the version that phones use first: nothing is translated then. */
function addressOf({ addresses }: Pod, [first = '']: readonly string[]): string | null {
  return addresses.find((one) => isIPv6(one) === isIPv6(first)) ?? addresses[0] ?? null
}

function candidateOfPod(pod: Pod, address: string, port: number): Candidate {
  const weight = Number(pod.annotations[WEIGHT_ANNOTATION] ?? '1')
  return {
    id: pod.name,
    address,
    port,
    hostAddresses: pod.hostAddresses,
    // A weight that is none is as if not written; the pod's owner sees it in the table.
    weight: Number.isInteger(weight) && weight >= 1 && weight <= 1000 ? weight : 1,
    drain: pod.annotations[DRAIN_ANNOTATION] === 'true',
    deleting: pod.deleting,
    ready: pod.ready,
    pod,
  }
}

function placeOf({ id, address, port, weight }: Candidate) {
  return { id, address, port, weight }
}

function byId(a: { readonly id: string }, b: { readonly id: string }): number {
  return a.id < b.id ? -1 : 1
}

function sameJson(a: unknown, b: unknown): boolean {
  return canonicalJson(a, JSON_DEPTH_MAX) === canonicalJson(b, JSON_DEPTH_MAX)
}

/** Deeper than anything a table holds. */
const JSON_DEPTH_MAX = 8
