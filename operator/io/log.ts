/** Notices as JSON lines on standard output, by pino: one event per line, on state changes only. */
import { pino } from 'pino'
import type { Notice, Tell } from '../ports.ts'

export function openLog(): Tell {
  // Written at once: the last line before an exit is the one that matters.
  const log = pino({ name: 'sipcast-operator', base: null }, pino.destination({ sync: true }))
  return ({ level, event, key, about, message, details }: Notice) => {
    const [namespace, sipProxy] = key?.split('/') ?? []
    const subject = key === undefined ? {} : { namespace, sipProxy }
    log[level]({ event, ...subject, ...nameOf(about), ...details }, message)
  }
}

function nameOf(about: Notice['about']): Readonly<Record<string, string>> {
  if (about === undefined) return {}
  return about.kind === 'BgpPeer' ? { bgpPeer: about.name } : { sipBalancer: about.name }
}
