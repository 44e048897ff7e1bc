/**
 * The cluster as a balancer sees it: tables in ConfigMaps, keys in a Secret or its mounted copy, orders to the
 * announcer in BgpPeers and labels, the report in a SipBalancer. Not here: what they mean. Invariant: an API
 * server that is down, slow or lying delays nothing but itself: what was read stays, what is to be written waits.
 */

import {
  type Access,
  ApiServer,
  type Clock as ApiClock,
  inClusterAccess,
  KubeConfigError,
  kubeconfigAccess,
} from '@sipcast/kube'
import type { SourceConfig } from '../../config.ts'
import { API_TIMEOUT_MS } from '../../limits.ts'
import { KeysFile } from '../keys-file.ts'
import { systemClock, systemRandom } from '../system-clock.ts'
import { RefusedError, type World } from '../world.ts'
import { ClusterOrders } from './cluster-orders.ts'
import { ClusterTables } from './cluster-tables.ts'
import { SecretKeys } from './secret-keys.ts'
import { SipBalancerReports } from './sip-balancer-reports.ts'

/** What each skin of the cluster gets. */
export interface ClusterOptions {
  readonly api: ApiServer
  readonly clock: ApiClock
  /** From 0 to below 1. */
  readonly random: () => number
}

const apiClock: ApiClock = {
  nowMs: () => systemClock.monotonicMs(),
  setTimer: (delayMs, callback) => systemClock.after(delayMs, callback),
}

/** @throws RefusedError where there is no way to the API server: not where it does not answer */
export async function openCluster(
  source: Extract<SourceConfig, { kind: 'kubernetes' }>,
  name: string,
): Promise<Omit<World, 'stateRoot'>> {
  const { namespace, keysFile, nodeLabels } = source
  const access = await accessOf(source)
  const api = new ApiServer({ access, timeoutMs: API_TIMEOUT_MS, userAgent: 'sipcast-balancer' })
  const options: ClusterOptions = { api, clock: apiClock, random: systemRandom }
  const tables = new ClusterTables({ ...options, namespace })
  const keys =
    keysFile === null ? new SecretKeys({ ...options, namespace }) : new KeysFile(keysFile)
  const orders = new ClusterOrders({ ...options, name, labels: nodeLabels })
  const reports = new SipBalancerReports({ ...options, name })
  return {
    tables,
    keys,
    orders,
    reports,
    follow: (changed) => {
      const ends = [tables, keys, orders, reports].map((part) => part.follow(changed))
      return () => {
        for (const end of ends) end()
        api.close()
      }
    },
  }
}

async function accessOf({ kubeconfig }: { readonly kubeconfig: string | null }): Promise<Access> {
  try {
    return kubeconfig === null ? await inClusterAccess() : await kubeconfigAccess(kubeconfig)
  } catch (error) {
    // What is wrong with the configuration is one sentence; anything else is a defect of ours.
    if (!(error instanceof KubeConfigError)) throw error
    throw new RefusedError(error.message)
  }
}
