/**
 * CPU time per forwarded packet: the FFI port against C, alternately in one run, over loopback.
 *
 *   node test/bench/forwarding/run.ts [ROUNDS]
 *
 * CPU time of the whole forwarder process after its warm-up, so a busy machine disturbs little. Two
 * loads: as fast as the machine can (batches are full) and paced (batches are small and waits many).
 */

import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { argv, execPath } from 'node:process'
import { createInterface } from 'node:readline'

const DATAGRAM_BYTES = 600
const SECONDS = 3
const rounds = Number(argv[2] ?? 5)
const loads = [
  { name: 'saturating', perSecond: 0 },
  { name: 'paced at 40 k/s', perSecond: 40_000 },
]

const folder = mkdtempSync(join(tmpdir(), 'sipcast-bench-'))
try {
  await run()
} finally {
  rmSync(folder, { recursive: true })
}

async function run(): Promise<void> {
  const here = import.meta.dirname
  const compile = (name: string): string => {
    const binary = join(folder, name)
    execFileSync('cc', ['-O2', '-pthread', '-o', binary, join(here, `${name}.c`)])
    return binary
  }
  const load = compile('load')
  const forwarders: Record<string, string[]> = {
    C: [compile('forwarder')],
    TypeScript: [execPath, join(here, 'forwarder.ts')],
  }
  for (const { name, perSecond } of loads) {
    const costs = new Map<string, number[]>(Object.keys(forwarders).map((key) => [key, []]))
    for (let round = 0; round < rounds; round++) {
      for (const [language, command] of Object.entries(forwarders)) {
        const { costUs, rate } = await measure(command, [load, `${DATAGRAM_BYTES}`, `${perSecond}`])
        costs.get(language)!.push(costUs)
        console.log(`${name}  ${language}  ${costUs.toFixed(3)} µs/packet at ${Math.round(rate)}/s`)
      }
    }
    const [c, typeScript] = ['C', 'TypeScript'].map((key) => median(costs.get(key)!))
    console.log(
      `${name}: C ${c!.toFixed(3)} µs, TypeScript ${typeScript!.toFixed(3)} µs: ` +
        `${((100 * c!) / typeScript!).toFixed(1)} % of C (medians of ${rounds})\n`,
    )
  }
}

async function measure(command: readonly string[], load: readonly string[]) {
  const source = start([...load, `${SECONDS}`])
  const forwarder = start([...command, await source.line()])
  source.process.stdin!.write(`${await forwarder.line()}\n`)
  const [packets, cpuUs] = numbers(await forwarder.line())
  const [, received] = numbers(await source.line())
  return { costUs: cpuUs! / packets!, rate: received! / SECONDS }
}

interface Started {
  readonly process: ChildProcess
  readonly line: () => Promise<string>
}

function start(command: readonly string[]): Started {
  const child = spawn(command[0]!, command.slice(1), { stdio: ['pipe', 'pipe', 'inherit'] })
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]()
  const line = async () => {
    const { value, done } = await lines.next()
    if (done) throw new Error(`${command[0]} ended early`)
    return value as string
  }
  return { process: child, line }
}

function numbers(line: string): number[] {
  return line.split(' ').map(Number)
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!
}
