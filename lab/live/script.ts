/** The run without a keyboard: kill one proxy, later freeze another, later revive both. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Failures } from './failures.ts'

const KILL_AFTER_MAX_SECONDS = 10

/** Takes `seconds`; the last third is for coming back. */
export async function runScript(
  failures: Failures,
  seconds: number,
  signal: AbortSignal,
): Promise<void> {
  const killAt = Math.min(KILL_AFTER_MAX_SECONDS, seconds / 3)
  const freezeAt = killAt + (seconds - killAt) / 4
  const reviveAt = killAt + (seconds - killAt) / 2
  const startedAtMs = performance.now()
  const until = (second: number) =>
    sleep(Math.max(0, startedAtMs + second * 1000 - performance.now()), undefined, { signal })
  await until(killAt)
  await failures.kill(0)
  await until(freezeAt)
  await failures.freeze(1)
  await until(reviveAt)
  await Promise.all([failures.revive(0), failures.revive(1)])
  await until(seconds)
}
