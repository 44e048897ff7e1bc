/**
 * Keeps the status of BgpPeers, where there is a place for it, and tells of those that are not valid. Not here: what it
 * says (bgp-peer-status.ts). Invariants: changes that come together are one look at all; nothing is written that says
 * nothing new.
 */
import { isDeepStrictEqual } from 'node:util'
import type { Balancers } from './balancers.ts'
import { bgpPeerStatusOf, refusalOf } from './bgp-peer-status.ts'
import { isoTime } from './iso-time.ts'
import { BGP_PEER_SETTLE_MS } from './limits.ts'
import type { BgpPeerStore, Clock, SeenBgpPeer, Tell } from './ports.ts'

export interface BgpPeersOptions {
  /** Null: nobody keeps status of them here. */
  readonly store: BgpPeerStore | null
  readonly balancers: Balancers
  readonly clock: Clock
  readonly tell: Tell
}

export class BgpPeers {
  readonly #options: BgpPeersOptions
  /** What is wrong with each, as told. */
  readonly #told = new Map<string, string>()
  #callOff: (() => void) | null = null

  constructor(options: BgpPeersOptions) {
    this.#options = options
  }

  /** Something may be another than before: balancers, or BgpPeers. */
  mark(): void {
    const { store, clock } = this.#options
    if (store === null) return
    this.#callOff ??= clock.after(BGP_PEER_SETTLE_MS, () => {
      this.#callOff = null
      this.#lookAt(store)
    })
  }

  stop(): void {
    this.#callOff?.()
  }

  #lookAt(store: BgpPeerStore): void {
    const { balancers, clock } = this.#options
    const reports = balancers.freshReports()
    const now = isoTime(clock.nowMs())
    const peers = store.list()
    for (const peer of peers) {
      this.#tellRefusal(peer)
      const status = bgpPeerStatusOf({ peer, reports, now })
      // The API server gives fields back in an order of its own.
      if (isDeepStrictEqual(status, peer.status)) continue
      store.writeStatus(peer.name, status)
    }
    const names = new Set(peers.map(({ name }) => name))
    for (const name of this.#told.keys()) if (!names.has(name)) this.#told.delete(name)
  }

  #tellRefusal(peer: SeenBgpPeer): void {
    const refused = refusalOf(peer)
    const text = refused?.message ?? ''
    if (text === (this.#told.get(peer.name) ?? '')) return
    this.#told.set(peer.name, text)
    const about = { kind: 'BgpPeer', name: peer.name } as const
    if (refused !== null) {
      this.#options.tell({ level: 'error', event: refused.reason, about, message: text })
      return
    }
    const message = `BgpPeer ${peer.name} is valid again`
    this.#options.tell({ level: 'info', event: 'Accepted', about, message })
  }
}
