import { expect, it } from 'vitest'
import { AddressReadiness, type SocketStand } from './address-readiness.ts'
import { SOCKETS_PATIENCE_MS } from './limits.ts'

const A = '203.0.113.10'
const B = '203.0.113.11'

/** `port` is proven, `-port` is there only. */
function at(address: string, ...ports: readonly number[]): readonly SocketStand[] {
  return ports.map((port) => ({ address, port: Math.abs(port), isProven: port > 0 }))
}

/** Looks one after the other, and what each found ready. */
function looks(...steps: readonly (readonly [nowMs: number, ...SocketStand[]])[]) {
  const readiness = new AddressReadiness()
  return steps.map(([nowMs, ...sockets]) => [...readiness.look(sockets, nowMs)].join())
}

it('an address is ready with its only socket', () => {
  expect(looks([0, ...at(A, -5060)], [1, ...at(A, 5060)], [2, ...at(A, -5060)])).toEqual([
    '',
    A,
    '',
  ])
})

it('a socket that joins takes the address from nobody, however long it takes', () => {
  const found = looks(
    [0, ...at(A, 5060), ...at(B, 5060)],
    [1, ...at(A, 5060, -80), ...at(B, 5060)],
    [1e6, ...at(A, 5060, -80), ...at(B, 5060)],
    [1e6, ...at(A, 5060, 80), ...at(B, 5060)],
  )
  expect(found).toEqual(Array(4).fill(`${A},${B}`))
})

it('a socket that was proven and is no longer takes the address away, until it is again', () => {
  const found = looks(
    [0, ...at(A, 5060, 5080)],
    [1, ...at(A, 5060, -5080)],
    [1e6, ...at(A, 5060, -5080)],
    [1e6, ...at(A, 5060, 5080)],
  )
  expect(found).toEqual([A, '', '', A])
})

it('one that went and came is a newcomer', () => {
  const found = looks([0, ...at(A, 5060, 5080)], [1, ...at(A, 5060)], [2, ...at(A, 5060, -5080)])
  expect(found).toEqual([A, A, A])
})

it('an address that comes waits for all of its sockets, but not for ever', () => {
  const part = at(A, 5060, -80)
  expect(
    looks([0, ...part], [SOCKETS_PATIENCE_MS - 1, ...part], [9e5, ...at(A, 5060, 80)]),
  ).toEqual(['', '', A])
  expect(looks([0, ...part], [SOCKETS_PATIENCE_MS, ...part])).toEqual(['', A])
})

it('it does for that of its oldest SipProxy: a node that cannot serve that one is none for it', () => {
  const part = at(A, -5060, 80)
  expect(looks([0, ...part], [9e5, ...part], [9e5, ...at(A, 5060, 80)])).toEqual(['', '', A])
})

it('but its oldest SipProxy, too, may change its port to one that no node can bind', () => {
  const found = looks([0, ...at(A, 5060, 80)], [1, ...at(A, -22, 80)], [9e5, ...at(A, -22, 80)])
  expect(found).toEqual([A, A, A])
})

it('nor does it wait for what none of its sockets has done', () => {
  const none = at(A, -5060, -80)
  expect(looks([0, ...none], [9e5, ...none], [9e5, ...at(A, 5060, -80)])).toEqual(['', '', ''])
})
