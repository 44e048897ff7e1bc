/** Metrics of what keeps addresses announced: readiness of each, the tests of our own, the announcer's word. */

import { announcementInForce } from '../announcing.ts'
import type { BalancerState } from '../state.ts'
import { probeOutcomes } from '../tallies.ts'
import type { Metric } from './metric.ts'

export const announceMetrics: readonly Metric[] = [
  {
    name: 'sipcast_balancer_address_ready',
    kind: 'gauge',
    labels: ['address'],
    help: '1: phones are served at this address, as was proven when the announcer asked last.',
    samples: ({ proof }) =>
      (proof?.addresses ?? []).map((address) => [
        { address },
        proof?.ready.includes(address) === true ? 1 : 0,
      ]),
  },
  {
    name: 'sipcast_balancer_address_announced',
    kind: 'gauge',
    labels: ['address'],
    help: '1: the announcer says that it announces this address; nothing where it is to announce none.',
    samples: (state) => {
      const said = announcementInForce(state)
      if (said === null || isLeaving(state)) return []
      const addresses = state.proof?.addresses ?? []
      return addresses.map((address) => [{ address }, said.announced.includes(address) ? 1 : 0])
    },
  },
  {
    name: 'sipcast_balancer_leaving',
    kind: 'gauge',
    labels: [],
    help: '1: this balancer ends or is out of service by hand: its addresses are withdrawn.',
    samples: (state) => [[{}, isLeaving(state) ? 1 : 0]],
  },
  {
    name: 'sipcast_balancer_announcer_silent',
    kind: 'gauge',
    labels: [],
    help: '1: the announcer has been heard, and says nothing any more.',
    samples: ({ isAnnouncerSilent }) => [[{}, isAnnouncerSilent ? 1 : 0]],
  },
  {
    name: 'sipcast_balancer_self_test_answered',
    kind: 'gauge',
    labels: ['address', 'port'],
    help: '1: this address of our own answers our tests; 0: not yet, or not any more.',
    samples: ({ selfTest }) =>
      selfTest
        .results()
        .map(({ address, port, isAnswering }) => [
          { address, port: String(port) },
          isAnswering ? 1 : 0,
        ]),
  },
  {
    name: 'sipcast_balancer_self_tests_total',
    kind: 'counter',
    labels: ['outcome'],
    help: 'Ended tests of our own addresses, by outcome.',
    samples: ({ tallies }) =>
      probeOutcomes.map((outcome) => [{ outcome }, tallies.selfTests.get(outcome) ?? 0]),
  },
]

function isLeaving({ isStopping, isInMaintenance }: BalancerState): boolean {
  return isStopping || isInMaintenance === true
}
