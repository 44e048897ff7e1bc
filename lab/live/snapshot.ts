/** What the live view shows, collected: statuses as the programs wrote them, and the phones' own experience. */

import { type Lab, SIP_PROXY } from '../start/lab.ts'
import type { Part } from '../start/part.ts'
import type { Second, Traffic } from './traffic.ts'

export interface ProxyView {
  readonly name: string
  readonly process: Part['state']
  /** As the operator sees it. */
  readonly health: string
  readonly slots: number
  readonly users: number
  readonly rttMs: number | null
}

export interface BalancerView {
  readonly name: string
  readonly process: Part['state']
  readonly epoch: number | null
  readonly deadMarks: readonly string[]
  readonly packetsPerSecond: number
}

export interface Snapshot {
  readonly kind: string
  readonly operator: Part['state']
  readonly epoch: number | null
  readonly lastMoves: number
  readonly ready: string
  readonly proxies: readonly ProxyView[]
  readonly balancers: readonly BalancerView[]
  readonly phones: number
  readonly totals: Second
  readonly recent: Second
  readonly usersMoved: number
}

export const RECENT_SECONDS = 5

export async function takeSnapshot(
  lab: Lab,
  kind: string,
  traffic: Traffic,
  usersMoved: number,
): Promise<Snapshot> {
  const status = await lab.directory.status(SIP_PROXY)
  const ready = status?.conditions.find(({ type }) => type === 'Ready')
  return {
    kind,
    operator: lab.operator.state,
    epoch: status?.table?.epoch ?? null,
    lastMoves: status?.table?.lastMoves ?? 0,
    ready: ready === undefined ? 'Unknown' : `${ready.status} (${ready.reason})`,
    proxies: lab.registrars.map((registrar): ProxyView => {
      const seen = status?.proxies.find(({ name }) => name === registrar.name)
      return {
        name: registrar.name,
        process: registrar.state,
        health: seen?.state ?? 'Unknown',
        slots: seen?.slots ?? 0,
        users: traffic.usersOf(registrar.name),
        rttMs: seen?.rttMs ?? null,
      }
    }),
    balancers: await Promise.all(lab.balancers.map((balancer) => viewOf(lab, balancer))),
    phones: traffic.users.length,
    totals: traffic.totals,
    recent: traffic.recent(RECENT_SECONDS),
    usersMoved,
  }
}

async function viewOf(lab: Lab, balancer: Part): Promise<BalancerView> {
  const report = await lab.directory.balancer(balancer.name)
  const served = report?.sipProxies.find(({ name }) => name === SIP_PROXY)
  const rates = report?.packetsPerSecond
  return {
    name: balancer.name,
    process: balancer.state,
    epoch: served?.epoch ?? null,
    deadMarks: (served?.deadMarks ?? []).map(({ id }) => id),
    packetsPerSecond: Math.round((rates?.fromOutside ?? 0) + (rates?.fromInside ?? 0)),
  }
}
