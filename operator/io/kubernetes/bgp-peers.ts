/**
 * BgpPeers as the API server has them, and their status by server-side apply. Not here: what it says. Invariant: they
 * are nothing that tables wait for: an operator that may not read them, or whose API server has none, works on.
 */
import { API_VERSION, BGP_PEER_KIND, type BgpPeerStatus, parseBgpPeerStatus } from '@sipcast/crds'
import { type ApiObject, type ApiServer, ListWatch, paths } from '@sipcast/kube'
import type { BgpPeerStore, SeenBgpPeer } from '../../ports.ts'
import type { Outbox } from './outbox.ts'
import type { Watching } from './watching.ts'
import { WriteRank } from './write-rate.ts'

export interface BgpPeersOptions {
  readonly api: ApiServer
  readonly watching: Watching
  readonly outbox: Outbox
  readonly fieldManager: string
  readonly onChange: () => void
}

interface Seen extends SeenBgpPeer {
  readonly uid: string
}

export class KubernetesBgpPeers implements BgpPeerStore {
  readonly #options: BgpPeersOptions
  readonly #watch: ListWatch<Seen>
  /** What was written last, or is about to be: the watch brings it back a little later. */
  readonly #written = new Map<string, BgpPeerStatus>()

  constructor(options: BgpPeersOptions) {
    this.#options = options
    const path = paths.bgpPeers()
    this.#watch = new ListWatch<Seen>({
      api: options.api,
      path,
      take: seenBgpPeer,
      onChange: (name) => {
        this.#written.delete(name)
        options.onChange()
      },
      ...options.watching.optionsFor(path),
    })
    options.watching.add(path, this.#watch)
  }

  list(): readonly SeenBgpPeer[] {
    return [...this.#watch.entries()].map(([name, seen]) => {
      const written = this.#written.get(name)
      return written === undefined ? seen : { ...seen, status: written }
    })
  }

  /** Null: there is none. */
  uidOf(name: string): string | null {
    return this.#watch.get(name)?.uid ?? null
  }

  writeStatus(name: string, status: BgpPeerStatus): void {
    const { api, outbox, fieldManager } = this.#options
    this.#written.set(name, status)
    outbox.put({
      id: `bgpPeer ${name}`,
      rank: WriteRank.status,
      name: `status of BgpPeer ${name}`,
      key: null,
      write: async () => {
        const uid = this.uidOf(name)
        if (uid === null) return
        const metadata = { name, uid }
        const document = { apiVersion: API_VERSION, kind: BGP_PEER_KIND, metadata, status }
        await api.apply(paths.bgpPeerStatus(name), document, { fieldManager, force: true })
      },
    })
  }
}

function seenBgpPeer({ metadata, ...fields }: ApiObject): Seen {
  const { name, uid = '', generation = 0 } = metadata
  const parsed = parseBgpPeerStatus(fields['status'])
  return {
    name,
    uid,
    generation,
    object: {
      apiVersion: API_VERSION,
      kind: BGP_PEER_KIND,
      metadata: { name },
      spec: fields['spec'],
    },
    status: parsed.ok ? parsed.status : null,
  }
}
