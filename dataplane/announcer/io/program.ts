/**
 * What the announcer's command line does: holds addresses until SIGTERM. Not here: what it holds
 * (`announcer.ts`). Invariants: a usage error ends with 2 and one line on standard error; SIGTERM and SIGINT end
 * in order with 0; it waits for a predecessor to end before it touches an address.
 */

import type { Server } from 'node:net'
import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import { collectDefaultMetrics } from 'prom-client'
import { serveHttp } from '../../io/http.ts'
import { openLog } from '../../io/log.ts'
import { systemClock } from '../../io/system-clock.ts'
import { registryOf } from '../../metrics/registry.ts'
import type { Tell } from '../../ports.ts'
import { Announcer } from '../announcer.ts'
import { openBirdKeeper } from '../bird/io/open.ts'
import { type AnnouncerConfig, parseAnnouncerCommand, USAGE } from '../config.ts'
import { AddressPools } from '../hold.ts'
import { LOOK_MS } from '../limits.ts'
import { type AnnouncerFacts, metrics } from '../metrics.ts'
import { IpProgram } from './ip-program.ts'
import { lockNode } from './lock.ts'
import { ProofClient } from './proof-client.ts'

const EXIT_USAGE = 2

/** Runs until it is done; sets the exit code. */
export async function runAnnouncer(argv: readonly string[]): Promise<void> {
  const command = parseAnnouncerCommand(argv)
  switch (command.kind) {
    case 'announce':
      return await announce(command.config)
    case 'help':
      process.stdout.write(`${USAGE}\n`)
      return
    case 'wrong':
      process.stderr.write(`sipcast announcer: ${command.message} (--help says more)\n`)
      process.exitCode = EXIT_USAGE
  }
}

async function announce(config: AnnouncerConfig): Promise<void> {
  const tell = openLog('announcer', {})
  const stop = nextSignal()
  const keeper = config.bird === null ? null : openBirdKeeper(config.bird, config.pools, tell)
  const announcer = new Announcer({
    interface: config.interface,
    pools: new AddressPools(config.pools),
    clock: systemClock,
    proofs: new ProofClient(config.socket),
    table: new IpProgram(config.ip),
    routers: keeper,
    tell,
  })
  const facts = { node: announcer.state, bird: keeper?.state ?? null }
  const closeHttp = serveMetrics(config, announcer, facts, tell)
  const lock = await takeNode(tell, stop)
  if (lock !== null) await hold(announcer, config, tell, stop)
  closeHttp()
  lock?.close()
  tell({ level: 'info', event: 'Stopped', message: 'in order' })
  // A BIRD that hangs may still be waited for.
  process.exit(0)
}

async function hold(
  announcer: Announcer,
  config: AnnouncerConfig,
  tell: Tell,
  stop: Promise<string>,
): Promise<void> {
  announcer.start()
  tell({ level: 'info', event: 'Started', message: config.socket, details: { config } })

  tell({ level: 'info', event: 'Stopping', message: await stop })
  await announcer.stop()
}

/** Null: told to end before the predecessor did. */
async function takeNode(tell: Tell, stop: Promise<string>): Promise<Server | null> {
  let isTold = false
  for (;;) {
    const lock = await lockNode()
    if (lock !== null) return lock
    const message = 'another announcer holds addresses on this node: waiting for its end'
    if (!isTold) tell({ level: 'warn', event: 'NodeTaken', message })
    isTold = true
    const isStopped = await Promise.race([stop.then(() => true), sleep(LOOK_MS, false)])
    if (isStopped) return null
  }
}

function serveMetrics(
  { metrics: at }: AnnouncerConfig,
  announcer: Announcer,
  facts: AnnouncerFacts,
  tell: Tell,
) {
  if (at === null) return () => undefined
  const registry = registryOf(metrics, facts, () => systemClock.monotonicMs())
  collectDefaultMetrics({ register: registry })
  const pages = {
    metrics: async () => ({ contentType: registry.contentType, text: await registry.metrics() }),
    health: () => announcer.healthProblem(),
    ready: () => announcer.readinessProblem(),
  }
  return serveHttp(at, pages, tell)
}

async function nextSignal(): Promise<string> {
  return await new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve(signal))
  })
}
