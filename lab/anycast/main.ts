/**
 * `npm run lab -- anycast`: the whole system in network namespaces, and a view of who announces, where routers send,
 * and how calls fare, while nodes fail. Needs root and BIRD; leaves nothing behind. Not here: the parts (system.ts),
 * what can be done to them (faults.ts).
 */
import process from 'node:process'
import { type LiveConfig, parseLiveConfig } from '../live/config.ts'
import { readKeys } from '../live/keyboard.ts'
import { aborted, View } from '../live/view.ts'
import { findKamailio } from '../start/kamailio.ts'
import { anycastUnavailable, USAGE } from './config.ts'
import { Damage } from './damage.ts'
import { FAULT_KEYS, renderAnycastLine, renderAnycastScreen } from './screen.ts'
import { runAnycastScript } from './script.ts'
import { takeAnycastSnapshot } from './snapshot.ts'
import { renderAnycastSummary } from './summary.ts'
import { AnycastSystem } from './system.ts'
import { lostCalls, Trials } from './trial.ts'

const parsed = parseLiveConfig(process.argv.slice(2), findKamailio() !== null)
if (!parsed.ok) {
  console.error(parsed.error === 'help' ? USAGE : `sipcast lab: ${parsed.error}`)
  process.exit(parsed.error === 'help' ? 0 : 2)
}
const reason = await anycastUnavailable()
if (reason !== null) {
  console.error(`sipcast lab: ${reason}`)
  process.exit(2)
}
process.exit(await run(parsed.value))

async function run(config: LiveConfig): Promise<number> {
  const ending = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => ending.abort())
  console.log(
    `sipcast lab: starting two routers, three balancers with announcer and BIRD, operator, three ${config.kind} registrars, ${config.phones} phones …`,
  )
  const system = await AnycastSystem.start({ kind: config.kind, replyToShared: true })
  try {
    return await live(config, await Trials.start(system, config.phones), ending)
  } finally {
    await system.stop()
  }
}

async function live(config: LiveConfig, trials: Trials, ending: AbortController): Promise<number> {
  const startedAtMs = performance.now()
  const elapsedSeconds = () => Math.round((performance.now() - startedAtMs) / 1000)
  const isInteractive = config.forSeconds === null && process.stdin.isTTY && process.stdout.isTTY
  const damage = new Damage(trials, (event) => view.tell(event))
  const view = new View({
    isInteractive,
    elapsedSeconds,
    take: () => takeAnycastSnapshot(trials, (node) => damage.of(node)),
    renderScreen: renderAnycastScreen,
    renderLine: renderAnycastLine,
  })
  const onKey = (key: string) => {
    const act = (action: Promise<void>) =>
      void action.catch((error: Error) => view.tell(error.message))
    const node = trials.system.nodes[view.selected]
    const fault = FAULT_KEYS[key]
    if ('123'.includes(key)) view.selected = Number(key) - 1
    else if (key === 'q' || key === '\u0003') ending.abort()
    else if (node !== undefined && fault !== undefined) act(damage.make(fault, node))
    else if (node !== undefined && key === 'r') act(damage.mend(node))
  }
  const stopKeys = isInteractive ? readKeys(onKey) : () => {}
  const showing = view.show(ending.signal)
  try {
    if (config.forSeconds === null) await aborted(ending.signal)
    else await runAnycastScript(trials, damage, config.forSeconds, ending.signal)
  } finally {
    stopKeys()
  }
  ending.abort()
  await showing
  await trials.stop()
  process.stdout.write(renderAnycastSummary(damage.results, elapsedSeconds()))
  return damage.results.some((result) => result.isPlanned && lostCalls(result) > 0) ? 1 : 0
}
