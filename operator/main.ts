/**
 * The operator's process: command line in, ports put together, signals. The only place that knows all skins.
 * Not here: what an operator does (operator.ts). Invariants: a usage error ends with 2, a refused configuration with
 * 1, each with one line on standard error; SIGTERM and SIGINT end in order with 0.
 */
import { stat } from 'node:fs/promises'
import process from 'node:process'
import { collectDefaultMetrics } from 'prom-client'
import { type Config, parseConfig, USAGE, UsageError } from './config.ts'
import { assignOnThread } from './io/assign-thread.ts'
import { Directory } from './io/directory.ts'
import { serveHttp } from './io/http.ts'
import { lockDirectory } from './io/lock.ts'
import { openLog } from './io/log.ts'
import { SipProber } from './io/sip-prober.ts'
import { errnoOf } from './io/store-error.ts'
import { systemClock, systemRandom } from './io/system-clock.ts'
import { STOP_WAIT_MAX_MS } from './limits.ts'
import { Operator } from './operator.ts'
import type { Tell } from './ports.ts'

const EXIT_REFUSED = 1
const EXIT_USAGE = 2

/** A configuration of good form that cannot be served. */
class RefusedError extends Error {
  override readonly name = 'RefusedError'
}

await main(process.argv.slice(2))

async function main(args: readonly string[]): Promise<void> {
  try {
    if (args.includes('--help')) process.stdout.write(`${USAGE}\n`)
    else await run(parseConfig(args))
  } catch (error) {
    if (error instanceof UsageError) end(EXIT_USAGE, `${error.message}; ${USAGE}`)
    else if (error instanceof RefusedError) end(EXIT_REFUSED, error.message)
    else throw error
  }
}

async function run(config: Config): Promise<void> {
  const stopped = nextSignal()
  await takeDirectory(config.directory)
  const tell = openLog()
  const ports = { clock: systemClock, tell }
  const directory = new Directory({ path: config.directory, ...ports })
  const prober = new SipProber(ports)
  const operator = new Operator({
    ...ports,
    random: systemRandom,
    cluster: directory,
    prober,
    assignElsewhere: assignOnThread,
  })
  const closeHttp = await serve(config, operator, tell)
  await prober.start((result) => operator.takeResult(result))
  await directory.start()
  await operator.start()
  const { directory: path } = config
  tell({
    level: 'info',
    event: 'Started',
    message: `serving ${path}`,
    details: { pid: process.pid },
  })

  tell({ level: 'info', event: 'Stopping', message: await stopped })
  // A disk that hangs must not keep the process: what is not written now is planned again at the next start.
  systemClock.after(STOP_WAIT_MAX_MS, () => process.exit(0))
  await operator.stop()
  await prober.stop()
  await directory.stop()
  closeHttp()
  tell({ level: 'info', event: 'Stopped', message: 'in order' })
  process.exit(0)
}

async function takeDirectory(path: string): Promise<void> {
  const isDirectory = await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  )
  if (!isDirectory) throw new RefusedError(`--directory ${path} is no directory`)
  if ((await lockDirectory(path)) === null) {
    throw new RefusedError(`--directory ${path} is already served by another operator`)
  }
}

async function serve({ metrics: listen }: Config, operator: Operator, tell: Tell) {
  if (listen === null) return () => undefined
  const { registry } = operator.metrics
  collectDefaultMetrics({ register: registry })
  try {
    const server = await serveHttp(listen, {
      metrics: async () => ({
        contentType: registry.contentType,
        text: await registry.metrics(),
      }),
      health: () => operator.healthProblem(),
      ready: () => operator.readinessProblem(),
    })
    server.on('error', ({ message }) => tell({ level: 'error', event: 'HttpFailed', message }))
    return () => server.close()
  } catch (cause) {
    const why = errnoOf(cause) || String(cause)
    throw new RefusedError(`--metrics ${listen.host}:${listen.port} cannot be had: ${why}`)
  }
}

function nextSignal(): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, () => resolve(signal))
  })
}

function end(code: number, message: string): void {
  process.stderr.write(`sipcast operator: ${message}\n`)
  process.exitCode = code
}
