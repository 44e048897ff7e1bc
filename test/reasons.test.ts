/**
 * docs/day-2.md has a row for every reason that operator, balancer and announcer can give, for every event that is a
 * warning or an error, and for every alert; and for no others. Reasons that docs/metrics.md lists with their metrics
 * have their row there.
 * Not here: whether the rows are right. Reasons are found in the code as it is written: in the closed sets that have a
 * name, in `reason: '…'`, in the calls that take one first, and where something is told.
 */
import { expect, test } from 'vitest'
import { BirdTrouble } from '../dataplane/announcer/bird/keeper.ts'
import { PeerRefusal } from '../dataplane/announcer/bird/peers.ts'
import { HoldRefusal } from '../dataplane/announcer/hold.ts'
import { KeyProblem } from '../dataplane/keys.ts'
import { Refusal } from '../dataplane/tables.ts'
import { SocketState } from '../dataplane/worker-config.ts'
import { Reason } from '../operator/judge.ts'
import { codeFiles, read } from './repository.ts'

/** Of a packet worker's socket; in words of their own where it is a problem. */
const SAID_OTHERWISE: readonly string[] = [SocketState.bound, SocketState.failed]

test('every reason has its row, and every row is a reason', () => {
  const rows = new Set([
    ...rowsOf('docs/day-2.md', isReason),
    ...rowsOf('docs/metrics.md', isReason),
  ])
  const reasons = new Set([...namedReasons(), ...writtenReasons()])
  expect([...reasons].filter((reason) => !rows.has(reason))).toEqual([])
  const source = sources().join('\n')
  expect([...rows].filter((row) => !source.includes(`'${row}'`))).toEqual([])
})

test('every alert has its row, and every row is an alert', () => {
  const alerts = read('charts/sipcast/files/monitoring/alerts.yaml').text.matchAll(
    /^ +- alert: (\w+)$/gm,
  )
  const rows = rowsOf('docs/day-2.md', (word) => word.startsWith('Sipcast'))
  expect(new Set(rows)).toEqual(new Set([...alerts].map(([, name]) => name)))
})

/** The words of code in the first cells of tables that have nothing else. */
function rowsOf(path: string, isWanted: (word: string) => boolean): readonly string[] {
  const cells = [...read(path).text.matchAll(/^\| ((?:`\w+`(?:, )?)+) \|/gm)]
  return cells.flatMap(([, cell = '']) => cell.replaceAll('`', '').split(', ').filter(isWanted))
}

function isReason(word: string): boolean {
  return /^[A-Z]/.test(word) && !word.startsWith('Sipcast')
}

function namedReasons(): readonly string[] {
  const sets = [Reason, Refusal, KeyProblem, HoldRefusal, PeerRefusal, BirdTrouble, SocketState]
  return sets
    .flatMap((set) => Object.values<string>(set))
    .filter((one) => !SAID_OTHERWISE.includes(one))
}

function writtenReasons(): readonly string[] {
  const written = /\b(?:reason: |(?:no|notReady)\(|level: '(?:warn|error)',\s*event: )'([A-Z]\w+)'/g
  return sources().flatMap((text) => [...text.matchAll(written)].map(([, word = '']) => word))
}

/** Of the programs, tests aside. */
function sources(): readonly string[] {
  return codeFiles
    .filter(({ path }) => /^(operator|dataplane)\//.test(path))
    .filter(({ path }) => !/\.(test|fixture)\.ts$/.test(path))
    .map(({ text }) => text)
}
