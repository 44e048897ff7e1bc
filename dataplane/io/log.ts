/** Notices as JSON lines on standard output, by pino: one event per line, on state changes only. */

import { pino } from 'pino'
import type { Tell } from '../ports.ts'

/** @param balancer the balancer's name, on every line */
export function openLog(balancer: string): Tell {
  // Written at once: the last line before an exit is the one that matters.
  const log = pino(
    { name: 'sipcast-balancer', base: { balancer } },
    pino.destination({ sync: true }),
  )
  return ({ level, event, message, details }) => log[level]({ event, ...details }, message)
}
