/** What a run of faults came to, as a table. The last line is for programs: one JSON object. */
import { row } from '../live/screen.ts'
import { faultOf } from './faults.ts'
import { lostCalls, type TrialResult } from './trial.ts'

const WIDTHS = [46, 26, 14, 16, 18, 10]

export function renderAnycastSummary(results: readonly TrialResult[], seconds: number): string {
  return [
    '',
    row(WIDTHS, [
      'FAULT',
      'NO PACKET TO THE NODE AFTER',
      'CALLS LOST',
      'REGISTERS LOST',
      'REQUESTS LOST',
      'REPEATED',
    ]),
    ...results.map((result) => row(WIDTHS, cellsOf(result))),
    '',
    JSON.stringify({ seconds, trials: results }),
    '',
  ].join('\n')
}

function cellsOf(result: TrialResult): readonly string[] {
  return [
    faultOf(result.fault).title,
    `${result.avoidedMs.toFixed()} ms`,
    `${lostCalls(result)} of ${result.calls}`,
    String(result.registrationsLost),
    `${result.unanswered} of ${result.requests}`,
    String(result.repeated),
  ]
}
