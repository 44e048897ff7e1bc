/** A crowd of SIPp callers through real balancers and Kamailios: nothing lost, nothing repeated. */
import { makeCalls, passwordOf } from '@sipcast/lab'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { requires } from '../requires.ts'
import { System } from './system.ts'

const CALLS = 200
const CALLS_PER_SECOND = 40

describe.runIf(requires('sipp', 'kamailio', 'nftables', 'network-namespaces'))('SIPp', () => {
  let system: System

  beforeAll(async () => {
    system = await System.start({ kind: 'kamailio', balancers: 2, registrars: 2 })
  })
  afterAll(async () => {
    await system?.stop()
  })

  test(`${CALLS} calls at ${CALLS_PER_SECOND} a second, each datagram through a balancer drawn at random`, async () => {
    const callee = await system.userOf('registrar-1')
    const phone = await system.registered(callee, { home: 1 })
    const home = system.topology.homes[0]!
    const callers = ['carol', 'dave', 'erin'].map((user) => ({
      user,
      password: passwordOf(user, system.secrets),
    }))
    const result = await makeCalls({
      address: home.ipv4,
      namespace: home.namespace,
      target: system.shared(),
      callee,
      callers,
      calls: CALLS,
      callsPerSecond: CALLS_PER_SECOND,
    })
    expect(result).toEqual({ succeeded: CALLS, failed: 0, retransmissions: 0 })
    expect(phone.log.retransmissions()).toEqual([])
  })
})
