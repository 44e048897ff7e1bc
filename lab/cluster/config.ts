/** What the environment says about clusters; every default is here. */
import process from 'node:process'
import type { KindOptions } from './kind.ts'

export const CLUSTER_NAME = 'sipcast'
export const TEST_CLUSTER_NAME = 'sipcast-test'

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
