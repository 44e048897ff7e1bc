import { expect, test } from 'vitest'
import { describeProblems, parseSipBalancerStatus, parseSipProxyStatus } from './mod.ts'

test('the smallest report of a balancer gets its defaults', () => {
  const heartbeatAt = '2026-11-23T09:00:00.000Z'
  expect(
    parseSipBalancerStatus({
      heartbeatAt,
      version: '0.1.0',
      sipProxies: [{ namespace: 'default', name: 'voice' }],
    }),
  ).toEqual({
    ok: true,
    status: {
      heartbeatAt,
      version: '0.1.0',
      acceptedKeyIds: [],
      sipProxies: [
        {
          namespace: 'default',
          name: 'voice',
          uid: null,
          epoch: null,
          sha256: null,
          inUseSince: null,
          deadMarks: [],
          unanswered: [],
          announced: [],
          addresses: [],
          problems: [],
        },
      ],
    },
  })
})

test('a report without heartbeat is refused, naming the field', () => {
  const parsed = parseSipBalancerStatus({ version: '0.1.0' })
  expect(parsed.ok ? '' : describeProblems(parsed.problems)).toBe('heartbeatAt: is missing')
})

test('a fresh status of a SipProxy is valid', () => {
  expect(parseSipProxyStatus({}).ok).toBe(true)
})
