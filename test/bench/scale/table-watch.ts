/**
 * The tables as a balancer gets them: by a watch, texts only. Not here: what is expected of them.
 * Invariant: a wait is over with the very event that ends it.
 */
import { type ApiServer, ListWatch, paths } from '@sipcast/kube'
import { decodeTable, type Table } from '@sipcast/mapping'

export class TableWatch {
  readonly #watch: ListWatch<string>
  readonly #waiting = new Map<string, (text: string) => void>()
  #onAny: (() => void) | null = null

  constructor(api: ApiServer, namespace: string) {
    this.#watch = new ListWatch<string>({
      api,
      path: paths.configMaps(namespace),
      labelSelector: 'sipcast.io/table=1',
      take: ({ data }) => (data as { 'table.json': string })['table.json'],
      onChange: (id, text) => {
        if (text !== null) this.#waiting.get(id.slice(id.indexOf('/') + 1))?.(text)
        this.#onAny?.()
      },
      clock: {
        nowMs: () => performance.now(),
        setTimer: (ms, callback) => {
          const timer = setTimeout(callback, ms)
          return () => clearTimeout(timer)
        },
      },
      random: Math.random,
    })
  }

  async start(): Promise<void> {
    this.#watch.start()
    await this.#watch.synced()
  }

  stop(): void {
    this.#watch.stop()
  }

  /** Monotonic time at which the table of that name was seen in which nobody is sent to that proxy. */
  untilWithout(name: string, proxy: string): Promise<number> {
    return new Promise((resolve) => {
      this.#waiting.set(name, (text) => {
        if (sendsTo(tableOf(text), proxy)) return
        this.#waiting.delete(name)
        resolve(performance.now())
      })
    })
  }

  /** Resolves when so many tables are as wanted. */
  untilAll(count: number, isWanted: (text: string) => boolean): Promise<void> {
    return new Promise((resolve) => {
      const done = new Set<string>()
      let isLooking = false
      const look = () => {
        isLooking = false
        for (const [id, text] of this.#watch.entries()) {
          if (!done.has(id) && isWanted(text)) done.add(id)
        }
        if (done.size < count) return
        this.#onAny = null
        resolve()
      }
      this.#onAny = () => {
        // A crowd of tables is looked at now and then, not once for each of them.
        if (!isLooking) setTimeout(look, LOOK_PERIOD_MS)
        isLooking = true
      }
      look()
    })
  }
}

const LOOK_PERIOD_MS = 100

export function tableOf(text: string): Table {
  const decoded = decodeTable(text)
  if (!decoded.ok) throw new Error(decoded.error.message)
  return decoded.table
}

/** Of a table's text: under which lease it was written. */
export function leaseTransitionsOf(text: string): number {
  return Number(/"leaseTransitions":([0-9]+)/.exec(text)?.[1])
}

function sendsTo({ members, owners }: Table, proxy: string): boolean {
  const index = members.findIndex(({ id }) => id === proxy)
  return index >= 0 && owners.includes(index)
}
