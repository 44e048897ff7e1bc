/**
 * `npm start`: the whole system on this machine, with phones that register and call, and a view of how it fares.
 * Needs no rights and leaves no process behind. Not here: the parts (start/), the phones' behaviour and the view
 * (live/).
 */
import process from 'node:process'
import { type LiveConfig, parseLiveConfig, USAGE } from './live/config.ts'
import { Failures } from './live/failures.ts'
import { readKeys } from './live/keyboard.ts'
import { Moves } from './live/moves.ts'
import { renderLine, renderScreen } from './live/screen.ts'
import { runScript } from './live/script.ts'
import { type Snapshot, takeSnapshot } from './live/snapshot.ts'
import { renderSummary } from './live/summary.ts'
import { Traffic } from './live/traffic.ts'
import { aborted, View } from './live/view.ts'
import { findKamailio } from './start/kamailio.ts'
import { Lab, SIP_PROXY } from './start/lab.ts'

/** Users come back faster than by default, so that a short run shows it. */
const SPEC = { mapping: { handBack: { after: '3s', maxMovedPercent: 25, per: '1s' } } }

const parsed = parseLiveConfig(process.argv.slice(2), findKamailio() !== null)
if (!parsed.ok) {
  console.error(parsed.error === 'help' ? USAGE : `sipcast lab: ${parsed.error}`)
  process.exit(parsed.error === 'help' ? 0 : 2)
}
process.exit(await run(parsed.value))

async function run(config: LiveConfig): Promise<number> {
  const ending = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => ending.abort())

  console.log(
    `sipcast lab: starting operator, two balancers, three ${config.kind} registrars, ${config.phones} phones …`,
  )
  const lab = await Lab.start({ kind: config.kind, spec: SPEC })
  try {
    await lab.untilServing()
    return await live(config, lab, ending)
  } finally {
    await lab.close()
  }
}

async function live(config: LiveConfig, lab: Lab, ending: AbortController): Promise<number> {
  const traffic = await Traffic.start(lab, config.phones)
  const moves = new Moves(lab.directory, SIP_PROXY, traffic.users)
  const startedAtMs = performance.now()
  const elapsedSeconds = () => Math.round((performance.now() - startedAtMs) / 1000)
  const isInteractive = config.forSeconds === null && process.stdin.isTTY && process.stdout.isTTY
  const take = () => takeSnapshot(lab, config.kind, traffic, moves.count)
  const view = new View({ isInteractive, elapsedSeconds, take, renderScreen, renderLine })
  const failures = new Failures(lab, (event) => view.tell(event))

  const stopKeys = isInteractive ? readKeys((key) => onKey(key, view, failures, ending)) : () => {}
  const showing = view.show(ending.signal)
  try {
    if (config.forSeconds === null) await aborted(ending.signal)
    else await runScript(failures, config.forSeconds, ending.signal)
  } catch (error) {
    if (!ending.signal.aborted) throw error
  } finally {
    stopKeys()
  }
  const wasAborted = ending.signal.aborted
  ending.abort()
  await showing
  moves.stop()
  await traffic.stopCalling()
  const isJudged = config.forSeconds !== null && !wasAborted
  const unreachable = isJudged ? await traffic.unreachable(await lab.openPhone('caller')) : []
  traffic.stop()
  const { tried, failed } = traffic.totals
  const summary = {
    seconds: config.forSeconds ?? elapsedSeconds(),
    callsTried: tried,
    callsFailed: failed,
    usersMoved: moves.count,
    failoverMs: failures.failoverMs,
    unreachablePhones: unreachable.length,
  }
  process.stdout.write(renderSummary(summary, traffic.seconds, unreachable))
  return unreachable.length === 0 ? 0 : 1
}

function onKey(
  key: string,
  view: View<Snapshot>,
  failures: Failures,
  ending: AbortController,
): void {
  const act = (action: Promise<void>) =>
    void action.catch((error: Error) => view.tell(error.message))
  switch (key) {
    case '1':
    case '2':
    case '3':
      view.selected = Number(key) - 1
      return
    case 'k':
      return act(failures.kill(view.selected))
    case 'f':
      return act(failures.freeze(view.selected))
    case 'r':
      return act(failures.revive(view.selected))
    case 'q':
    case '\u0003':
      ending.abort()
  }
}
