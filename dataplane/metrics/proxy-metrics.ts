/** Metrics of proxies: packets, state, and what this balancer's own probes say. */

import { type Member, MemberState } from '@sipcast/mapping'
import type { ServedPool } from '../served-pool.ts'
import { splitId } from '../sip-proxy-id.ts'
import type { BalancerState } from '../state.ts'
import { probeOutcomes } from '../tallies.ts'
import type { Metric, Sample } from './metric.ts'

export const proxyMetrics: readonly Metric[] = [
  {
    name: 'sipcast_balancer_proxy_packets_total',
    kind: 'counter',
    labels: ['namespace', 'name', 'proxy'],
    help: 'Datagrams sent to this proxy.',
    samples: ({ generations }) =>
      [...generations.packets.totals()].flatMap(([id, proxies]) =>
        [...proxies].map(([proxy, packets]): Sample => [{ ...splitId(id), proxy }, packets]),
      ),
  },
  {
    name: 'sipcast_balancer_proxy_state',
    kind: 'gauge',
    labels: ['namespace', 'name', 'proxy', 'state'],
    help: '1 for the state that the table gives this proxy, 0 for the others.',
    samples: (state) =>
      perProxy(state, ({ state: current }) =>
        Object.values(MemberState).map((one) => [{ state: one }, one === current ? 1 : 0]),
      ),
  },
  {
    name: 'sipcast_balancer_proxy_marked_dead',
    kind: 'gauge',
    labels: ['namespace', 'name', 'proxy'],
    help: '1: dead by the evidence of this balancer; its users go to their backups.',
    samples: (state) =>
      perProxy(state, ({ id }, { liveness }) => [[{}, liveness.isDead(id) ? 1 : 0]]),
  },
  {
    name: 'sipcast_balancer_probe_rtt_seconds',
    kind: 'gauge',
    labels: ['namespace', 'name', 'proxy'],
    help: 'Round-trip time of the last answered probe of this balancer.',
    samples: (state) =>
      perProxy(state, ({ id }, pool) => {
        const rttMs = state.tallies.rttMs.get(pool.targetId(id))
        return rttMs === undefined ? [] : [[{}, rttMs / 1000]]
      }),
  },
  {
    name: 'sipcast_balancer_probes_total',
    kind: 'counter',
    labels: ['outcome'],
    help: 'Ended probes of this balancer, by outcome.',
    samples: ({ tallies }) =>
      probeOutcomes.map((outcome) => [{ outcome }, tallies.probes.get(outcome) ?? 0]),
  },
  {
    name: 'sipcast_balancer_probe_panic',
    kind: 'gauge',
    labels: ['namespace', 'name'],
    help: '1: so many proxies time out at once that none is marked dead.',
    samples: ({ pools }) =>
      [...pools].map(([id, { liveness }]) => [splitId(id), liveness.isPanicking ? 1 : 0]),
  },
]

function perProxy(
  { pools }: BalancerState,
  samples: (member: Member, pool: ServedPool) => readonly Sample[],
): readonly Sample[] {
  return [...pools.values()].flatMap((pool) =>
    pool.table.members.flatMap((member) =>
      samples(member, pool).map(
        ([labels, value]): Sample => [{ ...splitId(pool.id), proxy: member.id, ...labels }, value],
      ),
    ),
  )
}
