/**
 * The SipProxies of all namespaces as sightings, and the status that each has.
 * Not here: validity (crds), writing status (cluster.ts). Invariants: a change of status or bookkeeping alone makes no
 * new sighting; a status that we wrote is no news to us.
 */
import {
  API_VERSION,
  parseSipProxyStatus,
  SIP_PROXY_KIND,
  type SipProxyStatus,
} from '@sipcast/crds'
import { type ApiObject, type ApiServer, ListWatch, paths } from '@sipcast/kube'
import type { Key, Sighting } from '../../ports.ts'
import { isNewer, ownAnnotations } from './metadata.ts'
import type { Watching } from './watching.ts'

interface SeenSipProxy {
  readonly sighting: Extract<Sighting, { kind: 'present' }>
  /** Of all that a pass depends on. */
  readonly fingerprint: string
  readonly uid: string
  readonly version: string
  readonly status: SipProxyStatus | null
}

export interface SipProxiesOptions {
  readonly api: ApiServer
  readonly watching: Watching
  readonly onChange: (key: Key) => void
  /** Somebody else wrote its status, or there is a new object, without one. */
  readonly onStatus: (key: Key, status: SipProxyStatus | null) => void
  readonly onGone: (key: Key) => void
}

export class SipProxies {
  readonly #options: SipProxiesOptions
  readonly #known = new Map<Key, SeenSipProxy>()
  readonly #watch: ListWatch<SeenSipProxy>

  constructor(options: SipProxiesOptions) {
    this.#options = options
    const path = paths.sipProxies()
    this.#watch = new ListWatch<SeenSipProxy>({
      api: options.api,
      path,
      take: seenSipProxy,
      onChange: (key, seen) => this.#see(key, seen),
      ...options.watching.optionsFor(path),
    })
    options.watching.add(path, this.#watch)
  }

  keys(): Iterable<Key> {
    return this.#known.keys()
  }

  sighting(key: Key): Sighting {
    const known = this.#known.get(key)
    if (known !== undefined) return known.sighting
    return this.#watch.isSynced
      ? { kind: 'absent' }
      : { kind: 'unreadable', why: 'SipProxies have not been listed yet' }
  }

  /** Null: it is gone. */
  uidOf(key: Key): string | null {
    return this.#known.get(key)?.uid ?? null
  }

  status(key: Key): SipProxyStatus | null {
    return this.#known.get(key)?.status ?? null
  }

  /** Takes the object that writing its status has returned. */
  noteWritten(key: Key, object: ApiObject): void {
    const known = this.#known.get(key)
    if (known === undefined || known.uid !== object.metadata.uid) return
    const { version, status } = seenSipProxy(object)
    if (isNewer(version, known.version)) this.#known.set(key, { ...known, version, status })
  }

  #see(key: Key, seen: SeenSipProxy | null): void {
    const last = this.#known.get(key)
    if (seen === null) {
      this.#known.delete(key)
      this.#options.onGone(key)
      this.#options.onChange(key)
      return
    }
    if (last === undefined || last.fingerprint !== seen.fingerprint) {
      this.#known.set(key, seen)
      if (last?.uid !== seen.uid) this.#options.onStatus(key, seen.status)
      this.#options.onChange(key)
      return
    }
    if (!isNewer(seen.version, last.version)) return
    this.#known.set(key, { ...seen, sighting: last.sighting })
    if (!sameJson(seen.status, last.status)) this.#options.onStatus(key, seen.status)
  }
}

function seenSipProxy({ metadata, ...fields }: ApiObject): SeenSipProxy {
  const { namespace, name, uid = '', generation = 0, creationTimestamp = '' } = metadata
  const annotations = ownAnnotations(metadata.annotations)
  const object = {
    apiVersion: API_VERSION,
    kind: SIP_PROXY_KIND,
    metadata: { namespace, name, annotations },
    spec: fields['spec'],
  }
  const parsed = parseSipProxyStatus(fields['status'])
  const createdMs = Date.parse(creationTimestamp) || 0
  return {
    sighting: { kind: 'present', object, origin: { uid, createdMs, generation } },
    fingerprint: JSON.stringify([uid, generation, annotations]),
    uid,
    version: metadata.resourceVersion ?? '',
    status: parsed.ok ? parsed.status : null,
  }
}

function sameJson(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}
