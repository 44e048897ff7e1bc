/**
 * The report as the status of this node's SipBalancer, by server-side apply. The object is made where it is
 * missing, owned by its Node where there is one that may be read, so that it goes with it. Watched, because
 * people give orders in its spec and delete what they do not know. Not here: what the report says, when it is
 * due. Invariant: only status, name and owner are written; spec is people's.
 */

import type { SipBalancerStatus } from '@sipcast/crds'
import { ApiError, ApiErrorCode, type ApiObject, ListWatch, paths } from '@sipcast/kube'
import { type ReportSink, StoreError, StoreErrorCode } from '../../ports.ts'
import type { Trouble } from '../../troubles.ts'
import { apiStoreError } from './api-store-error.ts'
import type { ClusterOptions } from './cluster.ts'
import { lastingTrouble } from './trouble.ts'

const FIELD_MANAGER = 'sipcast-balancer'
// Not from @sipcast/crds: with it comes zod, 15 MiB in a process that has 150.
const KIND = { apiVersion: 'sipcast.io/v1alpha1', kind: 'SipBalancer' }

export class SipBalancerReports implements ReportSink {
  readonly #options: ClusterOptions & { readonly name: string }
  /** Whether maintenance is asked for, by name: of one. */
  readonly #watch: ListWatch<boolean>
  #isMade = false
  #isGone = false
  #notBeforeMs = -Infinity
  #changed: () => void = () => undefined

  constructor(options: ClusterOptions & { readonly name: string }) {
    this.#options = options
    this.#watch = new ListWatch({
      ...options,
      path: paths.sipBalancers(),
      fieldSelector: `metadata.name=${options.name}`,
      take: wantsMaintenance,
      onChange: (_, value, last) => this.#seen(value, last),
    })
  }

  get isMaintenanceWanted(): boolean | null {
    return this.#watch.isSynced ? this.#watch.get(this.#options.name) === true : null
  }

  trouble(): Trouble | null {
    const { clock, name } = this.#options
    const message = lastingTrouble(this.#watch.trouble, clock.nowMs())
    return message === null
      ? null
      : { reason: 'OrdersUnread', message: `SipBalancer ${name}: ${message}` }
  }

  get isGone(): boolean {
    return this.#isGone
  }

  /** Returns what ends it. */
  follow(changed: () => void): () => void {
    this.#changed = changed
    this.#watch.start()
    void this.#watch.synced().then(changed)
    return () => this.#watch.stop()
  }

  async write(report: SipBalancerStatus): Promise<void> {
    const { clock, name } = this.#options
    if (clock.nowMs() < this.#notBeforeMs) {
      throw new StoreError(StoreErrorCode.unavailable, 'the API server wants fewer requests')
    }
    // Before it is written: a loss that is heard of meanwhile is one of what is written now.
    this.#isGone = false
    try {
      await this.#write(report)
    } catch (error) {
      if (error instanceof ApiError && error.retryAfterMs !== null) {
        this.#notBeforeMs = clock.nowMs() + error.retryAfterMs
      }
      throw apiStoreError(error, `cannot write SipBalancer ${name}`)
    }
  }

  #seen(value: boolean | null, last: boolean | null): void {
    if (value === last) return
    if (value === null) {
      this.#isMade = false
      this.#isGone = true
    }
    this.#changed()
  }

  /** Twice where somebody else wrote or deleted it in between. */
  async #write(report: SipBalancerStatus): Promise<void> {
    if (!this.#isMade) await this.#make()
    try {
      await this.#apply(report)
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      if (error.code === ApiErrorCode.notFound) await this.#make()
      else if (error.code !== ApiErrorCode.conflict) throw error
      await this.#apply(report)
    }
  }

  async #make(): Promise<void> {
    const { api, name } = this.#options
    const node = await this.#node()
    const uid = node?.metadata.uid
    const ownerReferences = uid === undefined ? [] : [{ apiVersion: 'v1', kind: 'Node', name, uid }]
    const metadata = ownerReferences.length === 0 ? { name } : { name, ownerReferences }
    await api.apply(paths.sipBalancer(name), objectOf({ metadata }), {
      fieldManager: FIELD_MANAGER,
    })
    this.#isMade = true
  }

  async #apply(report: SipBalancerStatus): Promise<void> {
    const { api, name } = this.#options
    const object = objectOf({ metadata: { name }, status: report })
    await api.apply(paths.sipBalancerStatus(name), object, { fieldManager: FIELD_MANAGER })
  }

  /** Null: there is none of this name, or we may not see it. */
  async #node(): Promise<ApiObject | null> {
    const { api, name } = this.#options
    try {
      return await api.get(paths.node(name))
    } catch (error) {
      if (error instanceof ApiError && error.code === ApiErrorCode.denied) return null
      throw error
    }
  }
}

function objectOf(fields: Pick<ApiObject, 'metadata'> & { readonly status?: unknown }): ApiObject {
  return { ...KIND, ...fields }
}

function wantsMaintenance({ spec }: ApiObject): boolean {
  return (spec as { readonly maintenance?: unknown } | undefined)?.maintenance === true
}
