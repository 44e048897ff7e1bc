/**
 * Notices about a SipProxy as Events of Kubernetes, for `kubectl describe`. What repeats becomes one Event with a
 * count.
 * Not here: the log, which has every notice. Invariants: nobody waits for an Event; what is too much, or cannot be
 * written, is dropped and counted.
 */
import { API_VERSION, SIP_PROXY_KIND } from '@sipcast/crds'
import { ApiError, type ApiObject, type ApiServer, paths } from '@sipcast/kube'
import { isoTime } from '../../iso-time.ts'
import {
  EVENT_BURST,
  EVENT_PERIOD_MS,
  EVENT_SERIES_AGE_MAX_MS,
  EVENT_SERIES_MAX,
  EVENT_SERIES_WRITE_PERIOD_MS,
  EVENTS_PENDING_MAX,
} from '../../limits.ts'
import type { Clock, Key, Notice, Random } from '../../ports.ts'
import { WriteRank, type WriteRate } from './write-rate.ts'

export interface EventsOptions {
  readonly api: ApiServer
  readonly clock: Clock
  readonly random: Random
  readonly rate: WriteRate
  /** Of the SipProxy; null: there is none. */
  readonly uidOf: (key: Key) => string | null
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

interface Allowance {
  left: number
  countedMs: number
}

const CONTROLLER = 'sipcast.io/operator'
const NOTE_LENGTH_MAX = 1000
/** About the store, or a defect: these are for whoever reads the log. */
const NOT_FOR_USERS = new Set(['StoreFailed', 'StoreRecovered', 'PassFailed'])

export class Events {
  readonly #options: EventsOptions
  readonly #series = new Map<string, Series>()
  readonly #allowances = new Map<Key, Allowance>()
  #pending = 0

  constructor(options: EventsOptions) {
    this.#options = options
  }

  record(notice: Notice): void {
    const { clock, uidOf } = this.#options
    const { key } = notice
    if (key === undefined || !isForUsers(notice)) return
    const uid = uidOf(key)
    // Of what is gone nobody asks, and its namespace may take nothing any more.
    if (uid === null) {
      this.#allowances.delete(key)
      return
    }
    const id = `${uid} ${notice.event} ${notice.message}`
    const series = this.#series.get(id)
    if (series !== undefined && clock.nowMs() - series.lastMs < EVENT_SERIES_AGE_MAX_MS) {
      this.#repeat(series)
      return
    }
    if (!this.#mayCreate(key)) this.#options.onDropped('rate')
    else this.#create(id, key, uid, notice)
  }

  #create(id: string, key: Key, uid: string, notice: Notice): void {
    const { api, clock, random } = this.#options
    const [namespace = '', name = ''] = key.split('/')
    const ownName = `${name}.${random.hex(8)}`
    const collection = paths.events(namespace)
    const event = this.#eventOf({ namespace, name, uid }, ownName, notice)
    this.#remember(id, {
      path: `${collection}/${ownName}`,
      count: 1,
      lastMs: clock.nowMs(),
      isDue: false,
    })
    void this.#write(() => api.create(collection, event))
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
      void this.#write(() => api.patch(series.path, patch))
    })
  }

  async #write(request: () => Promise<unknown>): Promise<void> {
    if (this.#pending >= EVENTS_PENDING_MAX) {
      this.#options.onDropped('queue')
      return
    }
    this.#pending++
    await this.#options.rate.token(WriteRank.event)
    try {
      await request()
    } catch (cause) {
      if (!(cause instanceof ApiError)) throw cause
      this.#options.onDropped('failed')
    }
    this.#pending--
  }

  #eventOf(
    { namespace, name, uid }: { namespace: string; name: string; uid: string },
    ownName: string,
    { level, event, message }: Notice,
  ): ApiObject {
    return {
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      metadata: { namespace, name: ownName },
      eventTime: microTime(this.#options.clock.nowMs()),
      reportingController: CONTROLLER,
      reportingInstance: this.#options.instance,
      type: level === 'info' ? 'Normal' : 'Warning',
      reason: event,
      action: actionOf(event),
      note: message.length > NOTE_LENGTH_MAX ? `${message.slice(0, NOTE_LENGTH_MAX)}…` : message,
      regarding: { apiVersion: API_VERSION, kind: SIP_PROXY_KIND, namespace, name, uid },
    }
  }

  #remember(id: string, series: Series): void {
    this.#series.delete(id)
    this.#series.set(id, series)
    const [oldest] = this.#series.keys()
    if (this.#series.size > EVENT_SERIES_MAX && oldest !== undefined) this.#series.delete(oldest)
  }

  /** So many at once, then one now and then, for each SipProxy. */
  #mayCreate(key: Key): boolean {
    const nowMs = this.#options.clock.monotonicMs()
    const last = this.#allowances.get(key) ?? { left: EVENT_BURST, countedMs: nowMs }
    const left = Math.min(EVENT_BURST, last.left + (nowMs - last.countedMs) / EVENT_PERIOD_MS)
    const isAllowed = left >= 1
    this.#allowances.set(key, { left: isAllowed ? left - 1 : left, countedMs: nowMs })
    return isAllowed
  }
}

function isForUsers({ event, details }: Notice): boolean {
  if (event === 'TablePublished') return details?.['moved'] !== 0
  return !NOT_FOR_USERS.has(event)
}

function actionOf(event: string): string {
  if (/^(Proxy|Probe)/.test(event)) return 'Probing'
  return event.startsWith('Table') ? 'Publishing' : 'Reconciling'
}

/** Kubernetes' MicroTime: six digits of a second. */
function microTime(ms: number): string {
  return isoTime(ms).replace('Z', '000Z')
}
