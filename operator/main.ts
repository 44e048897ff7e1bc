/**
 * The operator's process: command line in, ports put together, signals. The only place that knows all skins.
 * Not here: what an operator does (operator.ts). Invariants: a usage error ends with 2, a refused configuration and
 * the loss of the lease with 1, each with one line; SIGTERM and SIGINT end in order with 0.
 */
import { hostname } from 'node:os'
import process from 'node:process'
import { setFlagsFromString } from 'node:v8'
import { collectDefaultMetrics } from 'prom-client'
import { type Config, parseConfig, USAGE, UsageError } from './config.ts'
import { assignOnThread } from './io/assign-thread.ts'
import { openDirectory } from './io/directory-skin.ts'
import { serveHttp } from './io/http.ts'
import { openKubernetes } from './io/kubernetes/skin.ts'
import { openLog } from './io/log.ts'
import { SipProber } from './io/sip-prober.ts'
import { RefusedError, type Skin, type SkinPorts } from './io/skin.ts'
import { errnoOf } from './io/store-error.ts'
import { systemClock, systemRandom } from './io/system-clock.ts'
import { STOP_WAIT_MAX_MS } from './limits.ts'
import { Operator } from './operator.ts'
import type { Tell } from './ports.ts'

// Ten thousand probe results a second outlive the young generation, and V8 would let them fill four times the memory of
// what lives, where there seems to be plenty: half as much again is enough. The young generation itself stays small.
setFlagsFromString('--heap-growing-percent=50')
setFlagsFromString('--semi-space-growth-factor=1')

const EXIT_REFUSED = 1
const EXIT_USAGE = 2

await main(process.argv.slice(2))

async function main(args: readonly string[]): Promise<void> {
  try {
    if (args.includes('--help')) process.stdout.write(`${USAGE}\n`)
    else await run(parseConfig(args))
  } catch (error) {
    if (error instanceof UsageError) end(EXIT_USAGE, `${error.message}; --help says more`)
    else if (error instanceof RefusedError) end(EXIT_REFUSED, error.message)
    else throw error
  }
}

async function run(config: Config): Promise<void> {
  const stopping = onSignal()
  const ports: SkinPorts = {
    tell: openLog(),
    deposed: (why) => endDeposed(why, ports.tell),
    process: `${hostname()}-${process.pid}`,
  }
  const skin = await openSkin(config, ports)
  const { cluster, addressPools, tell } = skin
  const prober = new SipProber({ clock: systemClock, tell })
  const operator = new Operator(
    {
      ...ports,
      tell,
      clock: systemClock,
      random: systemRandom,
      cluster,
      prober,
      assignElsewhere: assignOnThread,
    },
    { addressPools },
  )
  const closeHttp = await serveMetrics(config, operator, skin)
  await prober.start((result) => operator.takeResult(result))
  await serve(skin, operator, stopping)

  tell({ level: 'info', event: 'Stopping', message: String(stopping.reason) })
  // A disk or a server that hangs must not keep the process: what is not written now is planned again at the next
  // start.
  systemClock.after(STOP_WAIT_MAX_MS, () => process.exit(0))
  await operator.stop()
  await prober.stop()
  await skin.stop()
  closeHttp()
  tell({ level: 'info', event: 'Stopped', message: 'in order' })
  process.exit(0)
}

async function openSkin({ place }: Config, ports: SkinPorts): Promise<Skin> {
  return place.kind === 'directory'
    ? await openDirectory(place, ports)
    : await openKubernetes(place, ports)
}

/** Resolves when the process shall end, even if it never came to lead. */
async function serve(skin: Skin, operator: Operator, stopping: AbortSignal): Promise<void> {
  const stopped = new Promise((resolve) => stopping.addEventListener('abort', resolve))
  try {
    await skin.start(stopping, operator.metrics)
    await operator.start()
  } catch (cause) {
    if (!stopping.aborted || cause !== stopping.reason) throw cause
    return
  }
  const details = { pid: process.pid }
  skin.tell({ level: 'info', event: 'Started', message: `serving ${skin.place}`, details })
  await stopped
}

async function serveMetrics(
  { metrics: listen }: Config,
  operator: Operator,
  skin: Skin,
): Promise<() => unknown> {
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
      // Standing by is all that a second replica has to do: rollouts must not wait for more.
      ready: () => (skin.isStandby ? null : operator.readinessProblem()),
      role: () => (skin.isStandby ? 'standby' : 'ok'),
    })
    server.on('error', ({ message }) => skin.tell({ level: 'error', event: 'HttpFailed', message }))
    return () => server.close()
  } catch (cause) {
    const why = errnoOf(cause) || String(cause)
    throw new RefusedError(`--metrics ${listen.host}:${listen.port} cannot be had: ${why}`)
  }
}

function onSignal(): AbortSignal {
  const controller = new AbortController()
  for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, () => controller.abort(signal))
  return controller.signal
}

/** At once and without order: whatever this process would still do, another does now. */
function endDeposed(why: string, tell: Tell): never {
  tell({
    level: 'error',
    event: 'Deposed',
    message: `${why}; another operator may lead now, this one ends`,
  })
  process.exit(EXIT_REFUSED)
}

function end(code: number, message: string): void {
  process.stderr.write(`sipcast operator: ${message}\n`)
  process.exitCode = code
}
