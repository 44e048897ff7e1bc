import { expect, test } from 'vitest'
import { describeProblems, parseBgpPeer } from './mod.ts'

function peer(change: object = {}): unknown {
  return {
    apiVersion: 'sipcast.io/v1alpha1',
    kind: 'BgpPeer',
    metadata: { name: 'router' },
    spec: { peerAddress: '192.0.2.1', peerASN: 64512, localASN: 64513, ...change },
  }
}

test('the smallest BgpPeer gets every default of the design', () => {
  expect(parseBgpPeer(peer())).toEqual({
    ok: true,
    bgpPeer: {
      name: 'router',
      spec: {
        peerAddress: '192.0.2.1',
        peerASN: 64512,
        localASN: 64513,
        port: 179,
        holdTimeMs: 9000,
        bfd: { enabled: true, intervalMs: 100, multiplier: 3 },
        nodeSelector: {},
        passwordSecretRef: null,
        sourceAddress: null,
        multihop: 1,
        communities: [],
      },
    },
  })
})

test.each([
  [
    'a source of another IP version',
    { sourceAddress: '2001:db8::1' },
    'spec.sourceAddress: must be of the same IP version as peerAddress',
  ],
  [
    'a hold time with a fraction',
    { holdTime: '9.5s' },
    'spec.holdTime: must be a duration in whole seconds',
  ],
  ['the reserved last AS', { peerASN: 4294967295 }, 'spec.peerASN: must be at most 4294967294'],
  [
    'a community above 16 bits',
    { communities: ['65536:1'] },
    'spec.communities[0]: each part must be at most 65535',
  ],
  [
    'a label key that is none',
    { nodeSelector: { 'a b': '' } },
    'spec.nodeSelector: every key must be a label key',
  ],
])('%s is refused, naming the field and why', (_sentence, change, problem) => {
  const parsed = parseBgpPeer(peer(change))
  expect(parsed.ok ? '' : describeProblems(parsed.problems)).toContain(problem)
})

test('a large community may have parts of 32 bits', () => {
  expect(parseBgpPeer(peer({ communities: ['4294967295:1:2', '65535:65535'] })).ok).toBe(true)
})
