import { expect, it } from 'vitest'
import { Sockets } from './sockets.ts'
import { type SocketReport, SocketState } from './worker-config.ts'

function socket(change: Partial<SocketReport> = {}): SocketReport {
  return {
    role: 'outside',
    address: '203.0.113.10',
    port: 5060,
    state: SocketState.bound,
    message: '',
    kernelDrops: 0,
    served: 0,
    ...change,
  }
}

const inUse = { state: SocketState.portInUse, message: 'EADDRINUSE' }

it('is bound only if all workers have it bound', () => {
  const sockets = new Sockets()
  sockets.report(0, [socket(inUse)])
  sockets.report(1, [socket()])
  expect(sockets.merged()).toEqual([socket(inUse)])
  sockets.report(0, [socket()])
  expect(sockets.merged()).toEqual([socket()])
})

it('tells sockets apart by role, address and port', () => {
  const sockets = new Sockets()
  const all = [
    socket(),
    socket({ port: 5080 }),
    socket({ role: 'inside' }),
    socket({ address: '::1' }),
  ]
  sockets.report(0, all)
  sockets.report(1, all)
  expect(sockets.merged()).toEqual(all)
})

it('says whether there was news', () => {
  const sockets = new Sockets()
  expect(sockets.report(0, [socket()])).toBe(true)
  expect(sockets.report(0, [socket({ kernelDrops: 5 })])).toBe(false)
  expect(sockets.report(0, [socket(inUse)])).toBe(true)
  expect(sockets.report(0, [])).toBe(true)
})

it('adds up kernel drops over workers and over reopened sockets', () => {
  const sockets = new Sockets()
  sockets.report(0, [socket({ kernelDrops: 10 })])
  sockets.report(1, [socket({ kernelDrops: 5 })])
  sockets.report(0, [socket({ kernelDrops: 12 })])
  expect(sockets.merged()[0]!.kernelDrops).toBe(17)
  sockets.report(0, [socket({ kernelDrops: 1 })])
  sockets.report(0, [socket({ kernelDrops: 2 })])
  expect(sockets.merged()[0]!.kernelDrops).toBe(19)
})
