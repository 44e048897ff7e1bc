/** Thousands of calls while nodes come and go and routers change their policies, looked at before the proxies. */
import { setTimeout as sleep } from 'node:timers/promises'
import {
  ANYCAST_DOMAIN,
  type AnycastSystem,
  type CallersResult,
  HashPolicy,
  makeCalls,
  ProxyWatch,
  passwordOf,
} from '@sipcast/lab'

const CALLS_PER_SECOND = 40
/** SIPp ends after a minute. */
const CALLS_PER_RUN = 1_000
const CALLEES = 4
const CALLERS = 10
const SETTLE_MS = 1_500

/** @returns whether no user changed proxy and nothing was duplicated or lost */
export async function measureRehash(system: AnycastSystem, calls: number): Promise<boolean> {
  const callees = Array.from({ length: CALLEES }, (_, index) => `callee-${index}`)
  for (const [home, user] of callees.entries()) {
    const phone = await system.registered(user, { home })
    // Each message it ever had would be kept.
    setInterval(() => phone.log.clear(), 5_000).unref()
  }
  const watch = await ProxyWatch.start(system)
  let isCalling = true
  const rehashes = rehash(system, () => isCalling)
  const results: CallersResult[] = []
  for (let made = 0; made < calls; made += CALLS_PER_RUN) {
    for (const phone of system.phones) await phone.register()
    results.push(await callersRun(system, callees[results.length % CALLEES]!, calls - made))
  }
  isCalling = false
  const changes = await rehashes
  await watch.stop()
  const total = (of: (result: CallersResult) => number) =>
    results.reduce((sum, result) => sum + of(result), 0)
  console.log(
    `${total(({ succeeded }) => succeeded)} of ${calls} calls, ${total(({ retransmissions }) => retransmissions)} messages repeated, ` +
      `while routers rehashed ${changes} times: ${watch.requests} requests, ${watch.transactions} transactions of ${watch.users} users at the proxies; ` +
      `users that changed proxy: ${watch.moved.length}; transactions at two proxies or twice at one: ${watch.duplicated.length}\n`,
  )
  for (const what of [...watch.moved, ...watch.duplicated].slice(0, 10)) console.log(`  ${what}`)
  await system.hangUpAll()
  return total(({ failed }) => failed) + watch.moved.length + watch.duplicated.length === 0
}

async function callersRun(
  system: AnycastSystem,
  callee: string,
  left: number,
): Promise<CallersResult> {
  const trunk = system.network.centres[1]!.trunk
  return await makeCalls({
    address: trunk.ipv4,
    namespace: trunk.namespace,
    target: system.shared(),
    callee,
    domain: ANYCAST_DOMAIN,
    callers: Array.from({ length: CALLERS }, (_, index) => {
      const user = `caller-${index}`
      return { user, password: passwordOf(user, system.secrets) }
    }),
    calls: Math.min(left, CALLS_PER_RUN),
    callsPerSecond: CALLS_PER_SECOND,
    hasPortPerCall: true,
  })
}

/** @returns how often next hops or policies changed */
async function rehash(system: AnycastSystem, isGoingOn: () => boolean): Promise<number> {
  let changes = 0
  const changed = async (change: Promise<void>) => {
    await change
    changes++
    await sleep(SETTLE_MS)
  }
  for (let turn = 0; isGoingOn(); turn++) {
    const node = system.nodes[turn % system.nodes.length]!
    const others = system.nodes.filter((other) => other !== node)
    const isPlanned = turn % 2 === 0
    if (isPlanned) node.leave()
    else await node.balancer.kill()
    await changed(system.untilRouted(others))
    await changed(system.hashBy(HashPolicy.addresses))
    if (isPlanned) await node.untilLeft()
    await node.revive()
    await system.untilServing()
    await changed(system.untilRouted())
    await changed(system.hashBy(HashPolicy.addressesAndPorts))
  }
  return changes
}
