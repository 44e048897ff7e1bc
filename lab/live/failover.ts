/**
 * How long users of a proxy that has just failed stay without one, as their phones see it: through each
 * balancer, an OPTIONS to such a user, repeated every 50 ms until somebody answers. The slowest balancer
 * counts.
 */
import type { Phone } from '../phone/phone.ts'
import { isOwnTimeout } from '../phone/user-agent.ts'
import { type Lab, SIP_PROXY } from '../start/lab.ts'
import { ownerOf } from '../start/owner-of.ts'
import type { Registrar } from '../start/registrar.ts'

const REPEAT_MS = 50
const TIMERS = { t1Ms: REPEAT_MS, t2Ms: REPEAT_MS, t4Ms: REPEAT_MS }
const NAMES_MAX = 10_000
const TRIES_MAX = 10

/**
 * @param fail makes it fail; called when everything else is ready. Returns milliseconds, or null if nobody
 * answered.
 */
export async function timeFailover(
  lab: Lab,
  victim: Registrar,
  fail: () => Promise<void> | void,
): Promise<number | null> {
  const user = await userOf(lab, victim.name)
  const phones = await Promise.all(
    lab.shared.map((balancer) =>
      lab.openPhone('failover-probe', { targets: [balancer], timers: TIMERS }),
    ),
  )
  const startedAtMs = performance.now()
  await fail()
  const times = await Promise.all(phones.map((phone) => firstAnswer(phone, user)))
  for (const phone of phones) phone.close()
  return times.includes(null) ? null : Math.round(Math.max(...times.map(Number)) - startedAtMs)
}

/** Any answer will do: the challenge already comes from a proxy that serves this user. */
async function firstAnswer(phone: Phone, user: string): Promise<number | null> {
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    const response = await phone.request('OPTIONS', user)
    if (isOwnTimeout(response)) continue
    return phone.log.responses('in')[0]?.atMs ?? null
  }
  return null
}

/** Some user, existing or not, whose slot the proxy owns. */
async function userOf(lab: Lab, registrar: string): Promise<string> {
  const table = await lab.directory.table(SIP_PROXY)
  for (let number = 0; table !== null && number < NAMES_MAX; number++) {
    const user = `nobody-${number}`
    if (ownerOf(table, user) === registrar) return user
  }
  throw new Error(`${registrar} owns no users`)
}
