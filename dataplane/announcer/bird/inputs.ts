/**
 * What the rendering of BIRD's configuration needs besides the node itself, kept fresh by a loop of its own: BgpPeers,
 * labels, passwords. They come with the proof, or from the manifests of a directory. Not here: reading files (`io/`),
 * what is made of it (`keeper.ts`). Invariants: what cannot be read just now, or takes its time, holds nobody up: what
 * was read last stays in force; peers come into force together with their passwords, so that a session is never ended
 * for a password that was only not read yet; what was good goes on for what is bad or gone now.
 */

import { PassLoop } from '../../pass-loop.ts'
import type { Clock } from '../../ports.ts'
import type { Orders } from '../../proof.ts'
import type { TroubleOf } from '../../troubles.ts'
import { PASSWORD_PATIENCE_MS } from './limits.ts'
import type { ReadPeers } from './orders.ts'
import { PeerRefusal } from './peers.ts'

/** What a directory says. */
export interface Manifests extends Orders {
  /** Of this node. */
  readonly isInMaintenance: boolean
}

export interface ReadManifests {
  /** What cannot be read is as it was read last, and a problem; null: nothing was ever read. */
  readonly manifests: Manifests | null
  readonly problems: readonly TroubleOf[]
}

export interface ManifestSource {
  read(): Promise<ReadManifests>
  /** Calls back soon after something may have changed. Returns what ends it. */
  watch(changed: () => void): () => void
}

export interface PasswordSource {
  /** Null: there is none; undefined: it cannot be read just now. */
  read(secret: string, key: string): Promise<string | null | undefined>
  /** What to do about a missing one. */
  readonly remedy: string
}

export interface InputsOptions {
  readonly clock: Clock
  /** That of `orders.ts`, which is loaded when it is needed. */
  readonly readPeers: (
    objects: readonly unknown[],
    before: ReadPeers['peers'],
  ) => Promise<ReadPeers>
  /** Null: orders come with the proof. */
  readonly manifests: ManifestSource | null
  readonly passwords: PasswordSource
  /** Something has come into force. */
  readonly changed: () => void
  readonly maintenanceChanged: () => void
}

export interface InForce extends ReadPeers {
  readonly nodeLabels: Readonly<Record<string, string>>
  /** By name of the BgpPeer. */
  readonly passwords: ReadonlyMap<string, string>
}

export class Inputs {
  /** Null: nobody knows yet what is wanted. */
  inForce: InForce | null = null
  /** Null: the directory has not been read yet. */
  isInMaintenance: boolean | null
  /** Why nothing is known. */
  unknown: readonly TroubleOf[] = []
  readonly #options: InputsOptions
  readonly #loop: PassLoop
  #unwatch: () => void = () => undefined
  #heard: Orders | null = null
  #heardText = ''
  #read: ReadPeers = { peers: [], problems: [] }
  #readText = ''
  #inForceText = ''
  /** Since when a password that is needed cannot be read. */
  #unreadSinceMs: number | null = null

  constructor(options: InputsOptions) {
    this.#options = options
    this.#loop = new PassLoop(options.clock, () => this.#pass())
    this.isInMaintenance = options.manifests === null ? false : null
  }

  start(): void {
    this.#unwatch = this.#options.manifests?.watch(() => this.#loop.hurry()) ?? this.#unwatch
    this.#loop.start()
  }

  async stop(): Promise<void> {
    this.#unwatch()
    await this.#loop.stop()
  }

  /** @param orders null: the cluster's are not known yet, or there is no cluster */
  heard(orders: Orders | null): void {
    if (this.#options.manifests !== null || orders === null) return
    const text = JSON.stringify(orders)
    if (text === this.#heardText) return
    this.#heard = orders
    this.#heardText = text
    this.#loop.mark()
  }

  async #pass(): Promise<void> {
    const { manifests, problems: unread } = await this.#readManifests()
    this.unknown = manifests === null ? unread : []
    const orders = manifests ?? this.#heard
    if (orders === null) return
    this.#takeMaintenance(manifests?.isInMaintenance ?? false)
    const text = JSON.stringify(orders.peers)
    if (text !== this.#readText) {
      this.#read = await this.#options.readPeers(orders.peers, this.#read.peers)
    }
    this.#readText = text
    const { passwords, missing, isEarly } = await this.#readPasswords()
    if (isEarly) return
    const problems = [...unread, ...this.#read.problems, ...missing]
    this.#enforce({ peers: this.#read.peers, problems, nodeLabels: orders.nodeLabels, passwords })
  }

  async #readManifests(): Promise<ReadManifests> {
    return (await this.#options.manifests?.read()) ?? { manifests: null, problems: [] }
  }

  #takeMaintenance(isInMaintenance: boolean): void {
    if (isInMaintenance === this.isInMaintenance) return
    this.isInMaintenance = isInMaintenance
    this.#options.maintenanceChanged()
  }

  #enforce(next: InForce): void {
    const text = JSON.stringify([
      this.#readText,
      next.problems,
      next.nodeLabels,
      [...next.passwords],
    ])
    if (text === this.#inForceText) return
    this.#inForceText = text
    this.inForce = next
    this.#options.changed()
  }

  /**
   * One that was there and is gone goes on being used: taken away by mistake, it would end sessions on all nodes. One
   * that was never read, and cannot be read just now, is waited for.
   */
  async #readPasswords() {
    const passwords = new Map<string, string>()
    const missing: TroubleOf[] = []
    let isUnread = false
    for (const { name, spec } of this.#read.peers) {
      if (spec.passwordSecretRef === null) continue
      const { name: secret, key } = spec.passwordSecretRef
      const read = await this.#options.passwords.read(secret, key)
      const known = this.inForce?.passwords.get(name)
      const password = read || known
      if (password === undefined) {
        isUnread ||= read === undefined
        continue
      }
      passwords.set(name, password)
      if (read !== null && read !== '') continue
      const message = `BgpPeer ${name}: the password in key ${key} of Secret ${secret} is gone; the last one is used`
      missing.push({ subject: name, reason: PeerRefusal.passwordMissing, message })
    }
    const nowMs = this.#options.clock.monotonicMs()
    const sinceMs = isUnread ? (this.#unreadSinceMs ?? nowMs) : null
    this.#unreadSinceMs = sinceMs
    const isEarly = sinceMs !== null && nowMs - sinceMs < PASSWORD_PATIENCE_MS
    return { passwords, missing, isEarly }
  }
}
