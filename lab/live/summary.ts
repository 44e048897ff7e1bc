/** What a run came to. The last line is for programs: one JSON object. */
import type { Second } from './traffic.ts'

export interface Summary {
  readonly seconds: number
  readonly callsTried: number
  readonly callsFailed: number
  readonly usersMoved: number
  readonly failoverMs: readonly number[]
  readonly unreachablePhones: number
}

const PER_LINE = 10

export function renderSummary(
  summary: Summary,
  seconds: readonly Second[],
  unreachable: readonly string[],
): string {
  return [
    '',
    'calls per second, tried (failed):',
    ...lines(seconds),
    '',
    `calls            ${summary.callsTried} tried, ${summary.callsFailed} failed`,
    `users moved      ${summary.usersMoved}`,
    `failover         ${summary.failoverMs.map((ms) => `${ms} ms`).join(', ') || 'none'}`,
    `unreachable      ${unreachable.join(' ') || 'nobody'}`,
    JSON.stringify(summary),
    '',
  ].join('\n')
}

function lines(seconds: readonly Second[]): string[] {
  const rows: string[] = []
  for (let start = 0; start < seconds.length; start += PER_LINE) {
    const cells = seconds
      .slice(start, start + PER_LINE)
      .map(({ tried, failed }) => `${tried} (${failed})`.padStart(8))
    rows.push(`${String(start).padStart(4)} s ${cells.join('')}`)
  }
  return rows
}
