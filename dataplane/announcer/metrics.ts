/**
 * Every metric of the announcer. Not here: HTTP, counting (`state.ts`, `bird/state.ts`). Invariant: docs/metrics.md
 * has one row for each, and a test that says so.
 */

import type { Metric } from '../metrics/metric.ts'
import { type BirdState, Outcome } from './bird/state.ts'
import { HoldRefusal } from './hold.ts'
import { type AnnouncerState, IpFailure, Lapse } from './state.ts'

export interface AnnouncerFacts {
  readonly node: AnnouncerState
  /** Null: addresses are held only. */
  readonly bird: BirdState | null
}

const metricsOfNode: readonly Metric<AnnouncerState>[] = [
  {
    name: 'sipcast_announcer_address_held',
    kind: 'gauge',
    labels: ['address'],
    help: '1: the node holds this address by us; 0: the balancer wants it, and the log says why not.',
    samples: ({ held, refused }) => [
      ...[...held].map((address) => [{ address }, 1] as const),
      ...refused.map(({ address }) => [{ address }, 0] as const),
    ],
  },
  {
    name: 'sipcast_announcer_addresses_refused',
    kind: 'gauge',
    labels: ['reason'],
    help: 'Addresses that the balancer wants and that are not held.',
    samples: ({ refused }) =>
      Object.values(HoldRefusal).map((reason) => [
        { reason },
        refused.filter((one) => one.reason === reason).length,
      ]),
  },
  {
    name: 'sipcast_announcer_address_announced',
    kind: 'gauge',
    labels: ['address'],
    help: '1: routers with a session are told of this address; 0: it is held only.',
    samples: ({ held, announced }) =>
      [...held.union(announced)].map((address) => [{ address }, announced.has(address) ? 1 : 0]),
  },
  {
    name: 'sipcast_announcer_lapses_total',
    kind: 'counter',
    labels: ['cause'],
    help: 'Announced addresses that the kernel has withdrawn: the balancer was unproven, or we were late.',
    samples: ({ lapses }) =>
      Object.values(Lapse).map((cause) => [{ cause }, lapses.get(cause) ?? 0]),
  },
  {
    name: 'sipcast_announcer_renewals_total',
    kind: 'counter',
    labels: [],
    help: 'Lifetimes of held addresses renewed.',
    samples: ({ renewals }) => [[{}, renewals]],
  },
  {
    name: 'sipcast_announcer_failures_total',
    kind: 'counter',
    labels: ['action'],
    help: 'What the kernel or ip refused: an address to add, renew or remove, or a whole run.',
    samples: ({ failures }) =>
      Object.values(IpFailure).map((action) => [{ action }, failures.get(action) ?? 0]),
  },
  {
    name: 'sipcast_announcer_balancer_alive',
    kind: 'gauge',
    labels: [],
    help: '1: the last look at the balancer found it alive.',
    samples: ({ isBalancerAlive }) => [[{}, isBalancerAlive ? 1 : 0]],
  },
]

/** Without BIRD there are none of these series. */
const metricsOfBird: readonly Metric<BirdState>[] = [
  {
    name: 'sipcast_announcer_bird_up',
    kind: 'gauge',
    labels: [],
    help: '1: BIRD answered when it was asked last.',
    samples: ({ isAnswering }) => [[{}, isAnswering ? 1 : 0]],
  },
  {
    name: 'sipcast_announcer_bird_configured',
    kind: 'gauge',
    labels: [],
    help: '1: BIRD uses the newest configuration; 0: an older one, or none.',
    samples: ({ isConfigured }) => [[{}, isConfigured ? 1 : 0]],
  },
  {
    name: 'sipcast_announcer_bird_configurations_total',
    kind: 'counter',
    labels: ['outcome'],
    help: 'Configurations offered to BIRD, by what became of them.',
    samples: ({ outcomes }) =>
      Object.values(Outcome).map((outcome) => [{ outcome }, outcomes.get(outcome) ?? 0]),
  },
  {
    name: 'sipcast_announcer_bgp_sessions_wanted',
    kind: 'gauge',
    labels: [],
    help: 'BgpPeers that select this node.',
    samples: ({ wanted }) => (wanted === null ? [] : [[{}, wanted]]),
  },
  {
    name: 'sipcast_announcer_bgp_session_up',
    kind: 'gauge',
    labels: ['peer'],
    help: '1: the BGP session with this router is established.',
    samples: (state) => state.bgpUps(),
  },
  {
    name: 'sipcast_announcer_bgp_session_changes_total',
    kind: 'counter',
    labels: ['peer'],
    help: 'Ups and downs of the BGP session with this router.',
    samples: (state) => state.changes('BGP'),
  },
  {
    name: 'sipcast_announcer_bfd_session_up',
    kind: 'gauge',
    labels: ['peer'],
    help: '1: BFD with this router is up.',
    samples: (state) => state.bfdUps(),
  },
  {
    name: 'sipcast_announcer_bfd_changes_total',
    kind: 'counter',
    labels: ['peer'],
    help: 'Ups and downs of BFD with this router.',
    samples: (state) => state.changes('BFD'),
  },
]

export const metrics: readonly Metric<AnnouncerFacts>[] = [
  ...metricsOfNode.map(
    ({ samples, ...rest }): Metric<AnnouncerFacts> => ({
      ...rest,
      samples: ({ node }, nowMs) => samples(node, nowMs),
    }),
  ),
  ...metricsOfBird.map(
    ({ samples, ...rest }): Metric<AnnouncerFacts> => ({
      ...rest,
      samples: ({ bird }, nowMs) => (bird === null ? [] : samples(bird, nowMs)),
    }),
  ),
]
