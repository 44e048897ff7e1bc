/** Every fault, again and again, and what it cost: a table on standard output. */
import {
  type AnycastSystem,
  lostCalls,
  type NodeFault,
  type TrialResult,
  Trials,
} from '@sipcast/lab'

/** @returns whether all targets were met */
export async function measureFaults(
  system: AnycastSystem,
  faults: readonly NodeFault[],
  rounds: number,
): Promise<boolean> {
  const trials = await Trials.start(system)
  const results = new Map(faults.map((fault) => [fault, [] as TrialResult[]]))
  // One kind after the other, so that a slow moment of the machine does not fall on one kind alone.
  for (let round = 0; round < rounds; round++) {
    for (const [index, fault] of faults.entries()) {
      const node = system.nodes[(round + index) % system.nodes.length]!
      const result = await trials.run(fault, node)
      results.get(fault)!.push(result)
      process.stderr.write(`${round + 1}/${rounds} ${JSON.stringify(result)}\n`)
    }
  }
  await trials.stop()
  console.log(
    '| fault | no packet after, p50 | p99 | target | calls lost | REGISTERs lost | single requests lost | longest outage | repeated, per fault |',
  )
  console.log('|---|---|---|---|---|---|---|---|---|')
  for (const [fault, all] of results) console.log(rowOf(fault, all))
  console.log('')
  return [...results].every(([fault, all]) => isMet(fault, all))
}

function rowOf({ title, targetMs }: NodeFault, all: readonly TrialResult[]): string {
  const avoided = all.map(({ avoidedMs }) => avoidedMs)
  const cells = [
    title,
    `${percentile(avoided, 50).toFixed()} ms`,
    `${percentile(avoided, 99).toFixed()} ms`,
    targetMs === null ? '–' : `${targetMs} ms`,
    `${sum(all, lostCalls)} of ${sum(all, ({ calls }) => calls)}`,
    String(sum(all, ({ registrationsLost }) => registrationsLost)),
    `${sum(all, ({ unanswered }) => unanswered)} of ${sum(all, ({ requests }) => requests)}`,
    `${Math.max(...all.map(({ outageMs }) => outageMs)).toFixed()} ms`,
    (sum(all, ({ repeated }) => repeated) / all.length).toFixed(1),
  ]
  return `| ${cells.join(' | ')} |`
}

function isMet({ targetMs, isPlanned }: NodeFault, all: readonly TrialResult[]): boolean {
  const p99 = percentile(
    all.map(({ avoidedMs }) => avoidedMs),
    99,
  )
  const isLossless = all.every(
    (result) =>
      lostCalls(result) === 0 && (!isPlanned || (result.unanswered === 0 && result.repeated === 0)),
  )
  return isLossless && (targetMs === null || p99 <= targetMs)
}

function percentile(values: readonly number[], percent: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.ceil((percent / 100) * sorted.length) - 1] ?? Number.NaN
}

function sum(all: readonly TrialResult[], of: (result: TrialResult) => number): number {
  return all.reduce((total, result) => total + of(result), 0)
}
