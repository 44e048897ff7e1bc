/**
 * Notices about a SipProxy, a SipBalancer or a BgpPeer as Events of Kubernetes, for `kubectl describe`. What repeats
 * becomes one Event with a count.
 * Not here: the log, which has every notice. Invariants: nobody waits for an Event; what is too much, or cannot be
 * written, is dropped and counted.
 */
import { API_VERSION, SIP_PROXY_KIND } from '@sipcast/crds'
import { ApiError, type ApiObject, type ApiServer, paths } from '@sipcast/kube'
import { isoTime } from '../../iso-time.ts'
import {
  EVENT_BURST,
  EVENT_BURST_RESERVED,
  EVENT_PERIOD_MS,
  EVENT_SERIES_AGE_MAX_MS,
  EVENT_SERIES_MAX,
  EVENT_SERIES_WRITE_PERIOD_MS,
  EVENTS_PENDING_MAX,
  EVENTS_PENDING_RESERVED,
} from '../../limits.ts'
import type { Clock, Key, Notice, Random, Subject } from '../../ports.ts'
import { WriteRank, type WriteRate } from './write-rate.ts'

export interface EventsOptions {
  readonly api: ApiServer
  readonly clock: Clock
  readonly random: Random
  readonly rate: WriteRate
  /** Null: there is none. */
  readonly uidOf: (subject: Key | Subject) => string | null
  /** Which of the replicas says so. */
  readonly instance: string
  readonly onDropped: (why: 'rate' | 'queue' | 'failed') => void
}

/** One Event and its repetitions. */
interface Series {
  readonly path: string
  count: number
  lastMs: number
  /** Its count is about to be written. */
  isDue: boolean
}

/** What an Event is about. */
interface Regarding {
  readonly apiVersion: string
  readonly kind: string
  /** Of a SipProxy. */
  readonly namespace?: string
  readonly name: string
  readonly uid: string
}

interface Allowance {
  left: number
  countedMs: number
}

const CONTROLLER = 'sipcast.io/operator'
const NOTE_LENGTH_MAX = 1000
/** Events about what has no namespace are in this one: the API server takes them nowhere else. */
const NAMESPACE_OF_NO_NAMESPACE = 'default'
/** About the store, or a defect: these are for whoever reads the log. */
const NOT_FOR_USERS = new Set(['StoreFailed', 'StoreRecovered', 'PassFailed'])

export class Events {
  readonly #options: EventsOptions
  readonly #series = new Map<string, Series>()
  /** By uid. */
  readonly #allowances = new Map<string, Allowance>()
  #pending = 0

  constructor(options: EventsOptions) {
    this.#options = options
  }

  record(notice: Notice): void {
    const { clock } = this.#options
    if (!isForUsers(notice)) return
    const regarding = this.#regarding(notice)
    if (regarding === null) return
    const id = `${regarding.uid} ${notice.event} ${notice.message}`
    const series = this.#series.get(id)
    if (series !== undefined && clock.nowMs() - series.lastMs < EVENT_SERIES_AGE_MAX_MS) {
      this.#repeat(series)
      return
    }
    const isImportant = matters(notice)
    if (!this.#hasRoom(isImportant)) this.#options.onDropped('queue')
    else if (!this.#mayCreate(regarding.uid, isImportant)) this.#options.onDropped('rate')
    else void this.#create(id, regarding, notice)
  }

  /** Null: of what is gone nobody asks, and its namespace may take nothing any more. */
  #regarding({ key, about }: Notice): Regarding | null {
    const subject = key ?? about
    const uid = subject === undefined ? null : this.#options.uidOf(subject)
    if (uid === null) return null
    if (about !== undefined) return { apiVersion: API_VERSION, ...about, uid }
    const [namespace = '', name = ''] = key?.split('/') ?? []
    return { apiVersion: API_VERSION, kind: SIP_PROXY_KIND, namespace, name, uid }
  }

  async #create(id: string, regarding: Regarding, notice: Notice): Promise<void> {
    const { api, clock, random } = this.#options
    const ownName = `${regarding.name}.${random.hex(8)}`
    const collection = paths.events(regarding.namespace ?? NAMESPACE_OF_NO_NAMESPACE)
    const event = this.#eventOf(regarding, ownName, notice)
    const path = `${collection}/${ownName}`
    this.#remember(id, { path, count: 1, lastMs: clock.nowMs(), isDue: false })
    const isWritten = await this.#write(() => api.create(collection, event))
    // There is nothing to be counted up: the same again is a new Event.
    if (!isWritten) this.#series.delete(id)
  }

  /** The count is written a little later, with whatever is added until then. */
  #repeat(series: Series): void {
    const { api, clock } = this.#options
    series.count++
    series.lastMs = clock.nowMs()
    if (series.isDue) return
    series.isDue = true
    clock.after(EVENT_SERIES_WRITE_PERIOD_MS, () => {
      series.isDue = false
      const { count, lastMs } = series
      const patch = { series: { count, lastObservedTime: microTime(lastMs) } }
      if (this.#hasRoom(true)) void this.#write(() => api.patch(series.path, patch))
      else this.#options.onDropped('queue')
    })
  }

  async #write(request: () => Promise<unknown>): Promise<boolean> {
    this.#pending++
    await this.#options.rate.token(WriteRank.event)
    try {
      await request()
      return true
    } catch (cause) {
      if (!(cause instanceof ApiError)) throw cause
      this.#options.onDropped('failed')
      return false
    } finally {
      this.#pending--
    }
  }

  #hasRoom(isImportant: boolean): boolean {
    return this.#pending < EVENTS_PENDING_MAX - (isImportant ? 0 : EVENTS_PENDING_RESERVED)
  }

  #eventOf(regarding: Regarding, ownName: string, notice: Notice): ApiObject {
    const { level, event, message } = notice
    const namespace = regarding.namespace ?? NAMESPACE_OF_NO_NAMESPACE
    return {
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      metadata: { namespace, name: ownName },
      eventTime: microTime(this.#options.clock.nowMs()),
      reportingController: CONTROLLER,
      reportingInstance: this.#options.instance,
      type: level === 'info' ? 'Normal' : 'Warning',
      reason: event,
      action: actionOf(notice),
      note: message.length > NOTE_LENGTH_MAX ? `${message.slice(0, NOTE_LENGTH_MAX)}…` : message,
      regarding: { ...regarding },
    }
  }

  #remember(id: string, series: Series): void {
    this.#series.delete(id)
    this.#series.set(id, series)
    const [oldest] = this.#series.keys()
    if (this.#series.size > EVENT_SERIES_MAX && oldest !== undefined) this.#series.delete(oldest)
  }

  /** So many at once, then one now and then, for each object. */
  #mayCreate(uid: string, isImportant: boolean): boolean {
    const nowMs = this.#options.clock.monotonicMs()
    const last = this.#allowances.get(uid) ?? { left: EVENT_BURST, countedMs: nowMs }
    const left = Math.min(EVENT_BURST, last.left + (nowMs - last.countedMs) / EVENT_PERIOD_MS)
    const isAllowed = left >= 1 + (isImportant ? 0 : EVENT_BURST_RESERVED)
    this.#allowances.delete(uid)
    this.#allowances.set(uid, { left: isAllowed ? left - 1 : left, countedMs: nowMs })
    // Who has said nothing for longest has a full allowance again.
    const [oldest] = this.#allowances.keys()
    if (this.#allowances.size > EVENT_SERIES_MAX && oldest !== undefined) {
      this.#allowances.delete(oldest)
    }
    return isAllowed
  }
}

function isForUsers({ event, details }: Notice): boolean {
  if (event === 'TablePublished') return details?.['moved'] !== 0
  return !NOT_FOR_USERS.has(event)
}

/** Something went wrong, or users moved. */
function matters({ level, event }: Notice): boolean {
  return level !== 'info' || event === 'TablePublished'
}

function actionOf({ event, about }: Notice): string {
  if (about !== undefined || /^Address(Announced|Withdrawn)$/.test(event)) return 'Announcing'
  if (/^(Proxy|Probe)/.test(event)) return 'Probing'
  return event.startsWith('Table') ? 'Publishing' : 'Reconciling'
}

/** Kubernetes' MicroTime: six digits of a second. */
function microTime(ms: number): string {
  return isoTime(ms).replace('Z', '000Z')
}
