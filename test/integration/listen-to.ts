/** What a part of the system tells in its log. Not here: what is made of it. */
import { eventually, type Part } from '@sipcast/lab'

/** Hears what a process says from now on, or from line `from` on. */
export function listenTo(part: Part, from = part.process.log.lines.length) {
  const { log } = part.process
  const lineOf = (event: string) => () =>
    log.lines.slice(from).find((line) => line.includes(`"event":"${event}"`)) ?? null
  return {
    heard: (event: string) => eventually(`${part.name} to tell ${event}`, lineOf(event)),
  }
}
