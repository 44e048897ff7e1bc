/**
 * One Cluster port under trial, and the hands of others on what it looks at: people who apply and remove, who meddle
 * with what the operator has written, balancers that report.
 */
import type { SipBalancerStatus, SipProxyStatus } from '@sipcast/crds'
import { expect, vi } from 'vitest'
import type { Change, Cluster, Key } from '../../../operator/ports.ts'

export interface Hands {
  apply(key: Key, spec: object): Promise<void>
  remove(key: Key): Promise<void>
  /** Null removes it. */
  meddleWithTable(key: Key, text: string | null): Promise<void>
  meddleWithKeys(text: string | null): Promise<void>
  /** Null: it is no longer there. */
  report(name: string, status: unknown): Promise<void>
}

export interface Skin {
  readonly hands: Hands
  /** A port that knows what there is; as a new process would open it. */
  open(): Promise<Cluster>
  close(): Promise<void>
  /** Removes everything. */
  end(): Promise<void>
}

export class Trial {
  readonly #makeSkin: () => Promise<Skin>
  #skin: Skin | null = null
  #cluster: Cluster | null = null
  changes: Change[] = []

  constructor(makeSkin: () => Promise<Skin>) {
    this.#makeSkin = makeSkin
  }

  get hands(): Hands {
    return this.#open().hands
  }

  get cluster(): Cluster {
    if (this.#cluster === null) throw new Error('begin first')
    return this.#cluster
  }

  async begin(): Promise<void> {
    this.#skin = await this.#makeSkin()
    await this.#start()
  }

  /** Another process takes over. */
  async restart(): Promise<void> {
    await this.#open().close()
    await this.#start()
  }

  async end(): Promise<void> {
    await this.#skin?.close()
    await this.#skin?.end()
    this.#skin = null
  }

  /** Waits until this was told. */
  async told(change: Change): Promise<void> {
    await vi.waitFor(() => expect(this.changes).toContainEqual(change), WAIT)
  }

  async #start(): Promise<void> {
    this.#cluster = await this.#open().open()
    this.changes = []
    this.#cluster.watch((change) => this.changes.push(change))
  }

  #open(): Skin {
    if (this.#skin === null) throw new Error('begin first')
    return this.#skin
  }
}

export const WAIT = { timeout: 5_000, interval: 20 }
export const KEY = 'default/voice'

export const SPEC = {
  addresses: ['203.0.113.10'],
  proxies: { static: [{ name: 'a', address: '192.0.2.1' }] },
}

export function reportOf(version: string): SipBalancerStatus {
  return {
    heartbeatAt: '2026-11-23T09:00:00.000Z',
    version,
    sipProxies: [],
    acceptedKeyIds: [1],
  }
}

export function statusOf(names: readonly string[]): SipProxyStatus {
  const since = '2026-11-23T09:00:00.000Z'
  return {
    observedGeneration: 1,
    conditions: [
      {
        type: 'Accepted',
        status: 'True',
        observedGeneration: 1,
        lastTransitionTime: since,
        reason: 'Accepted',
        message: 'The spec is valid and in force.',
      },
    ],
    proxies: names.map((name, index) => ({
      name,
      address: `192.0.2.${index + 1}:5060`,
      state: 'Up',
      since,
      reason: 'Answers',
      slots: 64,
      rttMs: index === 0 ? null : 1.5,
    })),
    table: names.length === 0 ? null : { epoch: 7, publishedAt: since, slots: 64, lastMoves: 0 },
    summary: { proxies: `${names.length}/${names.length}`, balancers: '0/0' },
  }
}
