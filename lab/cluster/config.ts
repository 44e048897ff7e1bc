/** What the environment says about clusters; every default is here. */
import process from 'node:process'
import type { KindOptions } from './kind.ts'

export const CLUSTER_NAME = 'sipcast'
export const TEST_CLUSTER_NAME = 'sipcast-test'
export const ROUTER_NAME = 'sipcast-router'

/** The chart's value `announcer.announce`; `npm run cluster -- none` is without BGP. */
export const Announce = { bgp: 'bgp', none: 'none' } as const
export type Announce = (typeof Announce)[keyof typeof Announce]

/** Null: no such word. */
export function announceOf([word, ...rest]: readonly string[]): Announce | null {
  if (rest.length > 0) return null
  const known = Object.values(Announce).find((one) => one === (word ?? Announce.bgp))
  return known ?? null
}

/** `KIND_NODE_IMAGE`, else kind's own default; `KIND_IP_FAMILY`: ipv4 (default), ipv6, dual. */
export function kindOptions(name: string): KindOptions {
  const nodeImage = process.env['KIND_NODE_IMAGE']
  const ipFamily = process.env['KIND_IP_FAMILY']
  return {
    name,
    ...(nodeImage === undefined ? {} : { nodeImage }),
    ...(ipFamily === undefined ? {} : { ipFamily }),
  }
}
