/** Notices as JSON lines on standard output, by pino: one event per line, on state changes only. */

import { pino } from 'pino'
import type { Tell } from '../ports.ts'

/**
 * @param program which of ours
 * @param base on every line
 */
export function openLog(program: string, base: Readonly<Record<string, string>>): Tell {
  // Written at once: the last line before an exit is the one that matters.
  const log = pino({ name: `sipcast-${program}`, base }, pino.destination({ sync: true }))
  return ({ level, event, message, details }) => log[level]({ event, ...details }, message)
}
