/**
 * What can befall a balancer's node, as data: what is done, how it is mended, and what routers are to make of it. Not
 * here: when, and what comes of it (trial.ts).
 */
import type { Router } from '../network/anycast.ts'
import type { BalancerNode } from './balancer-node.ts'
import { armHang } from './stuck-thread.ts'
import type { AnycastSystem } from './system.ts'

export interface NodeFault {
  readonly name: string
  /** For people. */
  readonly title: string
  /** Of the 99th percentile: from the fault until no packet goes to the node. Null: none was set. */
  readonly targetMs: number | null
  /** Nothing may be lost. */
  readonly isPlanned: boolean
  /** A router's fault: no node is to be turned away from. */
  readonly isRouters?: boolean
  /** What takes its time first; resolves to the deed itself. */
  readonly arm: (system: AnycastSystem, node: BalancerNode) => Promise<() => Promise<void>>
  /** Resolves when it is as before, but for routes. */
  readonly mend: (system: AnycastSystem, node: BalancerNode) => Promise<void>
}

/** Of design section 8 and of `It must show` there. */
const TARGET_MS = { planned: 100, killed: 2_500, silent: 500, hung: 2_600 }

type Deed = (system: AnycastSystem, node: BalancerNode) => Promise<void> | void

function at(once: Deed): NodeFault['arm'] {
  return async (system, node) => async () => await once(system, node)
}

const revive: NodeFault['mend'] = async (_system, node) => await node.revive()

/** Which liveness probe would end it, as it does on Kubernetes. */
const replaceBalancer: NodeFault['mend'] = async (_system, node) => {
  await node.balancer.kill()
  await node.balancer.revive()
}

export const faults: readonly NodeFault[] = [
  {
    name: 'drain',
    title: 'node drained (SIGTERM to all)',
    targetMs: TARGET_MS.planned,
    isPlanned: true,
    arm: at((_system, node) => node.leave()),
    mend: async (_system, node) => {
      await node.untilLeft()
      await node.revive()
    },
  },
  {
    name: 'maintenance',
    title: 'spec.maintenance',
    targetMs: TARGET_MS.planned,
    isPlanned: true,
    arm: at((system, node) => system.maintain(node, true)),
    mend: async (system, node) => await system.maintain(node, false),
  },
  {
    name: 'balancer-killed',
    title: 'balancer SIGKILLed',
    targetMs: TARGET_MS.killed,
    isPlanned: false,
    arm: at((_system, node) => node.balancer.kill()),
    mend: revive,
  },
  {
    name: 'balancer-frozen',
    title: 'balancer SIGSTOPped',
    targetMs: TARGET_MS.hung,
    isPlanned: false,
    arm: at((_system, node) => node.balancer.freeze()),
    mend: revive,
  },
  {
    name: 'worker-hung',
    title: 'packet worker hangs',
    targetMs: TARGET_MS.hung,
    isPlanned: false,
    arm: async (_system, node) => await armHang(node.balancer, node.namespace.name, 'worker'),
    // The balancer itself cuts off a worker that hangs, and starts another.
    mend: async () => {},
  },
  {
    name: 'loop-blocked',
    title: 'event loop of the balancer blocked',
    targetMs: TARGET_MS.hung,
    isPlanned: false,
    arm: async (_system, node) => await armHang(node.balancer, node.namespace.name, 'main'),
    mend: replaceBalancer,
  },
  {
    name: 'announcer-killed',
    title: 'announcer SIGKILLed, not started again',
    targetMs: TARGET_MS.killed,
    isPlanned: false,
    arm: at((_system, node) => node.announcer.kill()),
    mend: revive,
  },
  {
    name: 'announcer-frozen',
    title: 'announcer SIGSTOPped',
    targetMs: TARGET_MS.hung,
    isPlanned: false,
    arm: at((_system, node) => node.announcer.freeze()),
    mend: revive,
  },
  {
    name: 'bird-killed',
    title: 'BIRD SIGKILLed',
    targetMs: null,
    isPlanned: false,
    arm: at((_system, node) => node.bird.kill()),
    mend: revive,
  },
  {
    name: 'bird-frozen',
    title: 'BIRD SIGSTOPped',
    targetMs: null,
    isPlanned: false,
    arm: at((_system, node) => node.bird.freeze()),
    mend: revive,
  },
  {
    name: 'node-silent',
    title: 'node silent, link up',
    targetMs: TARGET_MS.silent,
    isPlanned: false,
    arm: at(async ({ network }, { node }) => await network.silence(node)),
    mend: async ({ network }, { node }) => await network.hear(node),
  },
  {
    name: 'link-down',
    title: 'link down',
    targetMs: TARGET_MS.silent,
    isPlanned: false,
    arm: at(async ({ network }, { node }) => await network.unplug(node)),
    mend: async ({ network }, { node }) => await network.plug(node),
  },
  {
    name: 'router-restarted',
    title: 'a router’s BIRD SIGKILLed and started again',
    targetMs: null,
    isPlanned: false,
    isRouters: true,
    arm: at(async (system) => {
      const { bird } = lastRouter(system)
      await bird.kill()
      await bird.revive()
    }),
    mend: async (system) => await lastRouter(system).bird.revive(),
  },
]

/** The first one is also the way of proxies and nodes to everywhere: that is the lab's, not sipcast's. */
function lastRouter({ routers }: AnycastSystem): Router {
  const router = routers.at(-1)
  if (router === undefined) throw new Error('there is no router')
  return router
}

export function faultOf(name: string): NodeFault {
  const fault = faults.find((one) => one.name === name)
  if (fault === undefined) throw new Error(`there is no fault ${name}`)
  return fault
}
