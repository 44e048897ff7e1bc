/**
 * What the command lines do: the balancer with its skins behind the ports until SIGTERM, or one explanation.
 * Not here: what a balancer does (`balancer.ts`, `forward.ts`). Invariants: a usage error ends with 2, a refused
 * configuration with 1, each with one line on standard error; SIGTERM and SIGINT end in order with 0.
 */

import { availableParallelism } from 'node:os'
import process from 'node:process'
import { collectDefaultMetrics } from 'prom-client'
import { Balancer } from '../balancer.ts'
import { type BalancerConfig, type ExplainConfig, parseCommand, USAGE } from '../config.ts'
import { explanationJson, explanationText } from '../explanation-text.ts'
import { isAlive, readiness } from '../health.ts'
import { createRegistry } from '../metrics.ts'
import manifest from '../package.json' with { type: 'json' }
import { StoreError, type Tell } from '../ports.ts'
import { LOOPBACK_ADDRESSES } from '../loopback.ts'
import { type PreflightQuestion, preflight } from '../preflight.ts'
import { AddressProber } from './address-prober.ts'
import { explainFile } from './explain-file.ts'
import { serveHttp } from './http.ts'
import { openLog } from './log.ts'
import { readMachine } from './machine-facts.ts'
import { releaseMemory } from './memory.ts'
import { PacketThreads } from './packet-threads.ts'
import { serveProof } from './proof-socket.ts'
import { StateDirectory } from './state-directory.ts'
import { systemClock } from './system-clock.ts'
import { openWorld, RefusedError } from './world.ts'

const EXIT_REFUSED = 1
const EXIT_USAGE = 2

/** Runs until it is done; sets the exit code. */
export async function runProgram(argv: readonly string[]): Promise<void> {
  const command = parseCommand(argv, availableParallelism())
  switch (command.kind) {
    case 'balance':
      return await balance(command.config).catch((error: unknown) => {
        if (!(error instanceof RefusedError)) throw error
        fail(EXIT_REFUSED, error.message)
      })
    case 'explain':
      return await explainMessage(command.config)
    case 'preflight':
      return await checkMachine(command.question)
    case 'help':
      process.stdout.write(`${USAGE}\n`)
      return
    case 'wrong':
      fail(EXIT_USAGE, `${command.message} (--help says more)`)
  }
}

async function balance(config: BalancerConfig): Promise<void> {
  const clock = systemClock
  const tell = openLog('balancer', { balancer: config.name })
  // From the first moment: a container's first process ignores signals that it does not listen for.
  const signalled = nextSignal()
  const world = await openWorld(config)
  const workers = new PacketThreads({ count: config.workers, clock, tell })
  const inside = config.inside.map(({ address }) => address)
  const prober = new AddressProber({ from: inside, clock, tell })
  const selfTester = new AddressProber({ from: LOOPBACK_ADDRESSES, clock, tell })
  const balancer = new Balancer(
    { ...config, version: manifest.version },
    {
      clock,
      tables: world.tables,
      keys: world.keys,
      orders: world.orders,
      lastGood: new StateDirectory(config.stateDirectory, world.stateRoot),
      reports: world.reports,
      workers,
      prober,
      selfTester,
      tell,
      releaseMemory,
    },
  )
  const unfollow = world.follow(() => balancer.sourceChanged())
  const closeHttp = serveMetrics(config, balancer, tell)
  const closeProof = proveLife(config, balancer, tell)
  workers.start(balancer)
  prober.start((result) => balancer.probed(result))
  selfTester.start((result) => balancer.selfTested(result))
  const message = `version ${manifest.version}`
  const started = balancer.start().then(() => {
    tell({ level: 'info', event: 'Started', message, details: { config } })
  })
  await Promise.race([started, signalled])

  tell({ level: 'info', event: 'Stopping', message: await signalled })
  await balancer.stop()
  unfollow()
  await Promise.all([prober.stop(), selfTester.stop()])
  closeProof()
  closeHttp()
  tell({ level: 'info', event: 'Stopped', message: 'in order' })
  // What may still be on its way to an API server that hangs is nobody's concern any more.
  process.exit(0)
}

function proveLife({ socket }: BalancerConfig, balancer: Balancer, tell: Tell): () => void {
  return serveProof(socket, {
    prove: () => balancer.prove(),
    announced: (announcement) => balancer.announced(announcement),
    tell,
  })
}

function serveMetrics({ metrics }: BalancerConfig, { state }: Balancer, tell: Tell): () => void {
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

async function checkMachine(question: PreflightQuestion): Promise<void> {
  const checks = preflight(question, await readMachine())
  for (const { name, verdict, message } of checks) {
    process.stdout.write(`${verdict.padEnd(5)} ${name.padEnd(15)} ${message}\n`)
  }
  if (checks.some(({ verdict }) => verdict === 'fail')) process.exitCode = EXIT_REFUSED
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

function fail(code: number, message: string): void {
  process.stderr.write(`sipcast balancer: ${message}\n`)
  process.exitCode = code
}
