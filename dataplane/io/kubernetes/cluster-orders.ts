/**
 * What the cluster wants of the announcer beside this balancer: BgpPeers, and the labels of this node that they
 * select nodes by. The announcer has no access to the API server of its own. Not here: what a BgpPeer means.
 * Invariants: nothing is wanted before both were heard of; what was heard of last stays while the API server can't
 * be reached; a node that may not be read, or is none of the cluster's, has the labels that it was started with.
 */

import { ApiErrorCode, type ApiObject, ListWatch, paths } from '@sipcast/kube'
import { API_PATIENCE_MS, BGP_PEERS_MAX } from '../../limits.ts'
import { isRecord } from '../../plain-json.ts'
import type { OrderSource } from '../../ports.ts'
import type { Orders } from '../../proof.ts'
import type { Trouble } from '../../troubles.ts'
import type { ClusterOptions } from './cluster.ts'
import { lastingTrouble } from './trouble.ts'

type Labels = Orders['nodeLabels']

/** As the announcer gets it. */
interface Peer {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: Pick<ApiObject['metadata'], 'name'> & {
    readonly uid: string | undefined
    readonly generation: number | undefined
  }
  readonly spec: unknown
}

export interface ClusterOrdersOptions extends ClusterOptions {
  /** Of the Node, if there is one. */
  readonly name: string
  /** Where there is none. */
  readonly labels: Labels
}

export class ClusterOrders implements OrderSource {
  readonly #clock: ClusterOptions['clock']
  readonly #name: string
  readonly #ownLabels: Labels
  readonly #peers: ListWatch<Peer>
  readonly #labels: ListWatch<Labels>
  #changed: () => void = () => undefined

  constructor({ name, labels, ...options }: ClusterOrdersOptions) {
    this.#clock = options.clock
    this.#name = name
    // As every Node has it.
    this.#ownLabels = { 'kubernetes.io/hostname': name, ...labels }
    this.#peers = new ListWatch({
      ...options,
      path: paths.bgpPeers(),
      take: withoutHistory,
      onChange: (_, now, last) => this.#compare(now, last),
    })
    this.#labels = new ListWatch({
      ...options,
      path: paths.nodes(),
      fieldSelector: `metadata.name=${name}`,
      take: labelsOf,
      onChange: (_, now, last) => this.#compare(now, last),
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
    const nodeLabels = this.#labels.get(this.#name) ?? this.#ownLabels
    const ours = [...this.#peers.entries()].filter(([, peer]) => selects(peer, nodeLabels))
    const byName = ours.toSorted(([a], [b]) => (a < b ? -1 : 1))
    return { peers: byName.slice(0, BGP_PEERS_MAX).map(([, peer]) => peer), nodeLabels }
  }

  trouble(): Trouble | null {
    const nowMs = this.#clock.nowMs()
    const peers = lastingTrouble(this.#peers.trouble, nowMs)
    const labels = lastingTrouble(this.#labels.trouble, nowMs)
    if (peers !== null) return { reason: 'OrdersUnread', message: `BgpPeers: ${peers}` }
    return labels === null
      ? null
      : { reason: 'OrdersUnread', message: `Node ${this.#name}: ${labels}` }
  }

  /** An API server that has just begun denies also what will be granted. */
  #isNodeHidden(): boolean {
    const { trouble } = this.#labels
    const isDenied = trouble?.code === ApiErrorCode.denied
    return isDenied && this.#clock.nowMs() - trouble.codeSinceMs > API_PATIENCE_MS
  }

  /** A node says something of itself every few seconds: that is nobody's concern here. */
  #compare(now: object | null, last: object | null): void {
    if (JSON.stringify(now) !== JSON.stringify(last)) this.#changed()
  }
}

/** Those of other nodes take no room. Their schema is asked by the announcer. */
function selects({ spec }: Peer, nodeLabels: Labels): boolean {
  const { nodeSelector } = Object(spec) as { readonly nodeSelector?: unknown }
  const wanted = isRecord(nodeSelector) ? nodeSelector : {}
  return Object.entries(wanted).every(([label, value]) => nodeLabels[label] === value)
}

/** As a person wrote it: who wrote which field, and the status, are no orders. */
function withoutHistory({ metadata, ...object }: ApiObject): Peer {
  const { name, uid, generation } = metadata
  const { spec } = object as { readonly spec?: unknown }
  return { ...KIND, metadata: { name, uid, generation }, spec }
}

/** Items of a list need not say so themselves. */
const KIND = { apiVersion: 'sipcast.io/v1alpha1', kind: 'BgpPeer' }

function labelsOf({ metadata }: ApiObject): Labels {
  return metadata.labels ?? {}
}
