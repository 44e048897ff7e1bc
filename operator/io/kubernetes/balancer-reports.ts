/**
 * Balancers' reports: the status of every SipBalancer.
 * Not here: which of them are fresh (balancers.ts of the operator). Invariant: a report that cannot be read leaves the
 * last good one of that balancer, which then grows old by itself.
 */
import { describeProblems, parseSipBalancerStatus } from '@sipcast/crds'
import { type ApiObject, type ApiServer, ListWatch, paths } from '@sipcast/kube'
import type { BalancerReport, Tell } from '../../ports.ts'
import type { Watching } from './watching.ts'

export interface BalancerReportsOptions {
  readonly api: ApiServer
  readonly watching: Watching
  readonly tell: Tell
  readonly onChange: (name: string) => void
}

/** A report, what is wrong with it, or neither: the balancer has not written one yet. */
interface Seen {
  readonly uid: string
  readonly report: BalancerReport | null
  readonly problem: string | null
}

export class BalancerReports {
  readonly #options: BalancerReportsOptions
  readonly #reports = new Map<string, BalancerReport>()
  readonly #watch: ListWatch<Seen>

  constructor(options: BalancerReportsOptions) {
    this.#options = options
    const path = paths.sipBalancers()
    this.#watch = new ListWatch<Seen>({
      api: options.api,
      path,
      take: seenReport,
      onChange: (name, seen, last) => this.#see(name, seen, last),
      ...options.watching.optionsFor(path),
    })
    options.watching.add(path, this.#watch)
  }

  all(): readonly BalancerReport[] {
    return [...this.#reports.values()]
  }

  get(name: string): BalancerReport | null {
    return this.#reports.get(name) ?? null
  }

  /** Null: there is none. */
  uidOf(name: string): string | null {
    return this.#watch.get(name)?.uid ?? null
  }

  #see(name: string, seen: Seen | null, last: Seen | null): void {
    const { tell, onChange } = this.#options
    if (seen === null) this.#reports.delete(name)
    else if (seen.report !== null) this.#reports.set(name, seen.report)
    else {
      if (seen.problem !== null && last?.problem !== seen.problem) {
        const message = `report of balancer ${name} cannot be read: ${seen.problem}`
        tell({ level: 'warn', event: 'ReportUnreadable', message })
      }
      return
    }
    onChange(name)
  }
}

function seenReport({ metadata: { name, uid = '' }, ...fields }: ApiObject): Seen {
  const status = fields['status']
  if (status === undefined) return { uid, report: null, problem: null }
  const parsed = parseSipBalancerStatus(status)
  return parsed.ok
    ? { uid, report: { name, status: parsed.status }, problem: null }
    : { uid, report: null, problem: describeProblems(parsed.problems) }
}
