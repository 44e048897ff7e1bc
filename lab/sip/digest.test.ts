import { expect, test } from 'vitest'
import {
  answerChallenge,
  credentialsMatch,
  issueNonce,
  nonceState,
  parseChallenge,
  parseCredentials,
} from './digest.ts'

test('the example of RFC 2617 §3.5', () => {
  const challenge = parseChallenge(
    'Digest realm="testrealm@host.com", qop="auth,auth-int", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", opaque="5ccc069c403ebaf9f0171e9517f40e41"',
  )
  const answer = answerChallenge(challenge as never, {
    method: 'GET',
    uri: '/dir/index.html',
    username: 'Mufasa',
    password: 'Circle Of Life',
    cnonce: '0a4f113b',
  })
  expect(parseCredentials(answer)?.response).toBe('6629fae49393a05397450978507c4ef1')
  expect(answer).toContain('opaque="5ccc069c403ebaf9f0171e9517f40e41"')
})

test('the SHA-256 example of RFC 7616 §3.9.1', () => {
  const challenge = parseChallenge(
    'Digest realm="http-auth@example.org", qop="auth", algorithm=SHA-256, nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"',
  )
  const answer = answerChallenge(challenge as never, {
    method: 'GET',
    uri: '/dir/index.html',
    username: 'Mufasa',
    password: 'Circle of Life',
    cnonce: 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ',
  })
  expect(parseCredentials(answer)?.response).toBe(
    '753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1',
  )
})

test.each([
  ['with qop', true],
  ['without', false],
])('what one end answers the other accepts, %s', (_how, qop) => {
  const challenge = { realm: 'r', nonce: 'n', algorithm: 'MD5', qop, opaque: null, stale: false }
  const answer = { method: 'REGISTER', uri: 'sip:r', username: 'u', password: 'p', cnonce: 'c' }
  const credentials = parseCredentials(answerChallenge(challenge, answer))
  expect(credentials && credentialsMatch(credentials, 'p', 'REGISTER')).toBe(true)
  expect(credentials && credentialsMatch(credentials, 'wrong', 'REGISTER')).toBe(false)
  expect(credentials && credentialsMatch(credentials, 'p', 'INVITE')).toBe(false)
})

test('a nonce is fresh for its lifetime, anywhere in its pool and nowhere else', () => {
  const nonce = issueNonce('secret', 1_000_000)
  expect(nonceState(nonce, 'secret', 1_200_000, 300_000)).toBe('fresh')
  expect(nonceState(nonce, 'secret', 1_400_000, 300_000)).toBe('stale')
  expect(nonceState(nonce, 'another', 1_200_000, 300_000)).toBe('forged')
  expect(nonceState('ffff.ffff', 'secret', 1_200_000, 300_000)).toBe('forged')
})
