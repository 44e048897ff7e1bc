/**
 * What the cluster wants of the announcer beside this balancer: BgpPeers, and the labels of this node that they
 * select nodes by. The announcer has no access to the API server of its own. Not here: what a BgpPeer means.
 * Invariants: nothing is wanted before both were heard of; what was heard of last stays while the API server can't
 * be reached; a node that may not be read, or is none of the cluster's, has no labels.
 */

import { ApiErrorCode, type ApiObject, ListWatch, paths } from '@sipcast/kube'
import { API_PATIENCE_MS, BGP_PEERS_MAX } from '../../limits.ts'
import type { OrderSource } from '../../ports.ts'
import type { Orders } from '../../proof.ts'
import type { Trouble } from '../../troubles.ts'
import type { ClusterOptions } from './cluster.ts'
import { stalenessOf, Trouble as WatchTrouble } from './trouble.ts'

type Labels = Orders['nodeLabels']

export class ClusterOrders implements OrderSource {
  readonly #clock: ClusterOptions['clock']
  readonly #name: string
  readonly #peers: ListWatch<object>
  readonly #labels: ListWatch<Labels>
  readonly #peersTrouble = new WatchTrouble()
  readonly #labelsTrouble = new WatchTrouble()
  #changed: () => void = () => undefined

  constructor({ name, ...options }: ClusterOptions & { readonly name: string }) {
    this.#clock = options.clock
    this.#name = name
    this.#peers = new ListWatch({
      ...options,
      path: paths.bgpPeers(),
      take: withoutHistory,
      onChange: (_, now, last) => this.#compare(now, last),
      onTrouble: (message, code) => this.#peersTrouble.tell(message, code),
    })
    this.#labels = new ListWatch({
      ...options,
      path: paths.nodes(),
      fieldSelector: `metadata.name=${name}`,
      take: labelsOf,
      onChange: (_, now, last) => this.#compare(now, last),
      onTrouble: (message, code) => {
        this.#labelsTrouble.tell(message, code)
        this.#changed()
      },
    })
  }

  /** Returns what ends it. */
  follow(changed: () => void): () => void {
    this.#changed = changed
    const watches = [this.#peers, this.#labels]
    for (const watch of watches) {
      watch.start()
      void watch.synced().then(changed)
    }
    return () => {
      for (const watch of watches) watch.stop()
    }
  }

  orders(): Orders | null {
    if (!this.#peers.isSynced) return null
    if (!this.#labels.isSynced && !this.#isNodeHidden()) return null
    const byName = [...this.#peers.entries()].toSorted(([a], [b]) => (a < b ? -1 : 1))
    const peers = byName.slice(0, BGP_PEERS_MAX).map(([, peer]) => peer)
    return { peers, nodeLabels: this.#labels.get(this.#name) ?? {} }
  }

  trouble(): Trouble | null {
    const peers = this.#lasting(this.#peers, this.#peersTrouble)
    const labels = this.#lasting(this.#labels, this.#labelsTrouble)
    if (peers !== null) return { reason: 'OrdersUnread', message: `BgpPeers: ${peers}` }
    return labels === null
      ? null
      : { reason: 'OrdersUnread', message: `Node ${this.#name}: ${labels}` }
  }

  #isNodeHidden(): boolean {
    return this.#labels.troubleSince !== null && this.#labelsTrouble.code === ApiErrorCode.denied
  }

  #lasting<T>(watch: ListWatch<T>, trouble: WatchTrouble): string | null {
    const stale = stalenessOf(watch, trouble)
    const isLasting = stale !== null && this.#clock.nowMs() - stale.sinceMs > API_PATIENCE_MS
    return isLasting ? stale.message : null
  }

  /** A node says something of itself every few seconds: that is nobody's concern here. */
  #compare(now: object | null, last: object | null): void {
    if (JSON.stringify(now) !== JSON.stringify(last)) this.#changed()
  }
}

/** As a person wrote it: who wrote which field, and the status, are no orders. */
function withoutHistory({ metadata, ...object }: ApiObject): object {
  const { name, uid, generation } = metadata
  const { spec } = object as { readonly spec?: unknown }
  return { ...KIND, metadata: { name, uid, generation }, spec }
}

/** Items of a list need not say so themselves. */
const KIND = { apiVersion: 'sipcast.io/v1alpha1', kind: 'BgpPeer' }

function labelsOf({ metadata }: ApiObject): Labels {
  return metadata.labels ?? {}
}
