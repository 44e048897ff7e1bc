/**
 * The balancer's program: reads arguments, puts skins behind the ports, waits for SIGTERM. Not here: what a
 * balancer does (`balancer.ts`, `forward.ts`). Invariants: the only reader of arguments; a usage error ends
 * with 2, a refused configuration with 1, each with one line on standard error; SIGTERM and SIGINT end in
 * order with 0.
 */

import { stat } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import process from 'node:process'
import { collectDefaultMetrics } from 'prom-client'
import { Balancer } from './balancer.ts'
import { type BalancerConfig, type ExplainConfig, parseCommand, USAGE } from './config.ts'
import { explanationJson, explanationText } from './explanation-text.ts'
import { isAlive, readiness } from './health.ts'
import { Directory } from './io/directory.ts'
import { watchFolders } from './io/directory-watch.ts'
import { explainFile } from './io/explain-file.ts'
import { serveHttp } from './io/http.ts'
import { InsideProber } from './io/inside-prober.ts'
import { openLog } from './io/log.ts'
import { PacketThreads } from './io/packet-threads.ts'
import { StateDirectory } from './io/state-directory.ts'
import { systemClock } from './io/system-clock.ts'
import { createRegistry } from './metrics.ts'
import manifest from './package.json' with { type: 'json' }
import { StoreError } from './ports.ts'

const EXIT_REFUSED = 1
const EXIT_USAGE = 2

await main()

async function main(): Promise<void> {
  const command = parseCommand(process.argv.slice(2), availableParallelism())
  switch (command.kind) {
    case 'balance':
      return await balance(command.config)
    case 'explain':
      return await explainMessage(command.config)
    case 'help':
      process.stdout.write(`${USAGE}\n`)
      return
    case 'wrong':
      fail(EXIT_USAGE, `${command.message} (--help says more)`)
  }
}

async function balance(config: BalancerConfig): Promise<void> {
  if (!(await isDirectory(config.directory))) {
    fail(EXIT_REFUSED, `--directory ${config.directory} is no directory`)
    return
  }
  const clock = systemClock
  const tell = openLog(config.name)
  const directory = new Directory(config.directory, config.name)
  const workers = new PacketThreads({ count: config.workers, clock, tell })
  const prober = new InsideProber({ inside: config.inside, clock, tell })
  const balancer = new Balancer(
    { ...config, version: manifest.version },
    {
      clock,
      tables: directory,
      keys: directory,
      lastGood: new StateDirectory(config.stateDirectory),
      reports: directory,
      workers,
      prober,
      tell,
    },
  )
  const unwatch = watchFolders([config.directory, directory.tablesPath], () =>
    balancer.sourceChanged(),
  )
  const closeHttp = serveMetrics(config, balancer, tell)
  workers.start(balancer)
  await prober.start((result) => balancer.probed(result))
  await balancer.start()
  tell({
    level: 'info',
    event: 'Started',
    message: `version ${manifest.version}`,
    details: { config },
  })

  const signal = await nextSignal()
  tell({ level: 'info', event: 'Stopping', message: signal })
  unwatch()
  await balancer.stop()
  await prober.stop()
  closeHttp()
  tell({ level: 'info', event: 'Stopped', message: 'in order' })
}

function serveMetrics(
  { metrics }: BalancerConfig,
  { state }: Balancer,
  tell: ReturnType<typeof openLog>,
): () => void {
  if (metrics === null) return () => undefined
  const registry = createRegistry(state, () => systemClock.monotonicMs())
  collectDefaultMetrics({ register: registry })
  return serveHttp(
    metrics,
    {
      metrics: async () => ({
        contentType: registry.contentType,
        text: await registry.metrics(),
      }),
      health: () => (isAlive(state) ? null : 'no packet worker is running'),
      ready: () => {
        const { isReady, reason, message } = readiness(state)
        return isReady ? null : `${reason}: ${message}`
      },
    },
    tell,
  )
}

async function explainMessage(config: ExplainConfig): Promise<void> {
  try {
    const { explanation, warnings } = await explainFile(config)
    for (const warning of warnings) process.stderr.write(`${warning}\n`)
    const text = config.json ? explanationJson(explanation) : explanationText(explanation)
    process.stdout.write(`${text}\n`)
  } catch (error) {
    if (!(error instanceof StoreError)) throw error
    fail(EXIT_REFUSED, error.message)
  }
}

/** The first of them; a second one ends the process at once. */
async function nextSignal(): Promise<string> {
  return await new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve(signal))
  })
}

async function isDirectory(path: string): Promise<boolean> {
  return await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  )
}

function fail(code: number, message: string): void {
  process.stderr.write(`sipcast balancer: ${message}\n`)
  process.exitCode = code
}
