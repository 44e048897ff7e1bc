/**
 * CPU time per forwarded packet, and the latency added at light load: the whole packet path against a C forwarder, the
 * bare FFI port and Kamailio, alternately in one run, over loopback.
 *
 *   node test/bench/forwarding/run.ts [--rounds N] [--seconds N] [--only flood|paced|latency]
 *
 * CPU time of all processes of the program under test after a warm-up, so a busy machine disturbs little;
 * ratios are taken round by round between neighbours in time. Two loads: as fast as the machine can (batches
 * are full) and paced (batches are small and waits many). docs/benchmarks.md has results and their worth.
 */
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs, promisify } from 'node:util'
import { prepareSubjects, type Running, type Subject, start } from './subjects.ts'

const PACED_PER_SECOND = 20_000
const LIGHT_PER_SECOND = 1000

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '3' },
    only: { type: 'string' },
  },
})
const folder = mkdtempSync(join(tmpdir(), 'sipcast-bench-'))
const { traffic, subjects } = prepareSubjects(folder)
let running: Running | undefined
try {
  if (wants('flood')) await compareCosts('as fast as the machine can', 0)
  if (wants('paced')) await compareCosts(`${PACED_PER_SECOND} packets/s`, PACED_PER_SECOND)
  if (wants('latency')) await compareLatencies()
} finally {
  await running?.stop()
  rmSync(folder, { recursive: true })
}

function wants(part: string): boolean {
  return options.only === undefined || options.only === part
}

interface Cost {
  readonly microseconds: number
  readonly perSecond: number
}

async function compareCosts(load: string, perSecond: number): Promise<void> {
  console.log(`\n${load}: CPU µs per packet, packets/s forwarded`)
  const rounds: Cost[][] = []
  for (let round = 0; round < Number(options.rounds); round++) {
    const costs: Cost[] = []
    for (const subject of subjects) costs.push(await costOf(subject, perSecond))
    console.log(
      `  round ${round + 1}:`,
      costs.map(({ microseconds }) => microseconds.toFixed(2)).join('  '),
    )
    rounds.push(costs)
  }
  const own = subjects.findIndex(({ name }) => name === 'sipcast')
  subjects.forEach(({ name }, index) => {
    const us = median(rounds.map((costs) => costs[index]!.microseconds))
    const rate = median(rounds.map((costs) => costs[index]!.perSecond))
    const ratio = median(
      rounds.map((costs) => costs[index]!.microseconds / costs[own]!.microseconds),
    )
    console.log(
      `  ${name.padEnd(24)} ${us.toFixed(2).padStart(6)} µs  ${Math.round(rate).toString().padStart(7)}/s` +
        `  costs ${ratio.toFixed(2)} × sipcast`,
    )
  })
}

async function costOf(subject: Subject, perSecond: number): Promise<Cost> {
  const [, received, dropped, cpuUs] = await measured(subject, 'flood', perSecond)
  const forwarded = received! + dropped!
  return { microseconds: cpuUs! / forwarded, perSecond: forwarded / Number(options.seconds) }
}

async function compareLatencies(): Promise<void> {
  console.log(`\n${LIGHT_PER_SECOND} packets/s, one at a time: µs until forwarded`)
  const rounds: number[][][] = []
  for (let round = 0; round < Number(options.rounds); round++) {
    const figures: number[][] = []
    for (const subject of subjects) {
      figures.push(await measured(subject, 'latency', LIGHT_PER_SECOND))
    }
    rounds.push(figures)
    console.log(
      `  round ${round + 1}, p99:`,
      figures.map((figure) => figure[4]!.toFixed(0)).join('  '),
    )
  }
  subjects.forEach(({ name }, index) => {
    const at = (figure: number): string =>
      median(rounds.map((figures) => figures[index]![figure]!))
        .toFixed(0)
        .padStart(5)
    const added = median(rounds.map((figures) => figures[index]![4]! - figures[0]![4]!))
    const lost = rounds.reduce((sum, figures) => sum + figures[index]![1]!, 0)
    console.log(
      `  ${name.padEnd(24)} p50 ${at(2)}  p90 ${at(3)}  p99 ${at(4)}  p99.9 ${at(5)}` +
        `  p99 over C's ${added.toFixed(0)}  lost ${lost}`,
    )
  })
}

/** The line of numbers that traffic.c prints about one run. */
async function measured(subject: Subject, mode: string, perSecond: number): Promise<number[]> {
  running = await start(subject)
  const { stdout } = await promisify(execFile)(traffic, [
    mode,
    subject.recording,
    `${perSecond}`,
    options.seconds,
    ...running.pids,
  ])
  await running.stop()
  running = undefined
  return stdout.trim().split(' ').map(Number)
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  return (sorted[(sorted.length - 1) >> 1]! + sorted[sorted.length >> 1]!) / 2
}
