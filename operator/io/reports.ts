/**
 * Balancers' reports from the files of a folder. Not here: which of them are fresh (balancers.ts).
 * Invariant: a report that cannot be read leaves the last good one of that balancer, which then grows old by itself.
 */
import { describeProblems, parseSipBalancerStatus } from '@sipcast/crds'
import type { BalancerReport, Tell } from '../ports.ts'
import type { FileChange } from './folder.ts'

export class Reports {
  readonly #tell: Tell
  readonly #onChange: (name: string) => void
  readonly #reports = new Map<string, BalancerReport>()
  readonly #bad = new Set<string>()

  constructor(options: { tell: Tell; onChange: (name: string) => void }) {
    this.#tell = options.tell
    this.#onChange = options.onChange
  }

  all(): readonly BalancerReport[] {
    return [...this.#reports.values()]
  }

  get(name: string): BalancerReport | null {
    return this.#reports.get(name) ?? null
  }

  update(changes: readonly FileChange[]): void {
    for (const change of changes) this.#updateFile(change)
  }

  #updateFile(change: FileChange): void {
    const name = change.name.slice(0, -'.json'.length)
    if (change.kind === 'gone') {
      this.#reports.delete(name)
      this.#bad.delete(name)
      this.#onChange(name)
      return
    }
    const parsed = parseReport(change)
    if ('problem' in parsed) {
      if (this.#bad.has(name)) return
      this.#bad.add(name)
      const message = `report of balancer ${name} cannot be read: ${parsed.problem}`
      this.#tell({ level: 'warn', event: 'ReportUnreadable', message })
      return
    }
    this.#bad.delete(name)
    this.#reports.set(name, { name, status: parsed.status })
    this.#onChange(name)
  }
}

function parseReport(change: FileChange) {
  if (change.kind === 'unreadable') return { problem: change.why }
  if (change.kind !== 'text') return { problem: 'it was not read' }
  let object: unknown
  try {
    object = JSON.parse(change.text)
  } catch (cause) {
    // Told by the caller, once per balancer.
    return { problem: cause instanceof Error ? cause.message : String(cause) }
  }
  const parsed = parseSipBalancerStatus(object)
  return parsed.ok ? { status: parsed.status } : { problem: describeProblems(parsed.problems) }
}
