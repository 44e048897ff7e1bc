/**
 * Digest authentication as the recipe does it: nonces of the pool, derived passwords, and nobody under
 * another's name.
 */
import { createHash } from 'node:crypto'
import { credentialsMatch, issueNonce, nonceState, parseCredentials } from '../sip/digest.ts'
import { type SipRequest, type SipResponse, header, headerValues } from '../sip/message.ts'
import { responseTo } from '../sip/respond.ts'
import { parseNameAddr, parseUri } from '../sip/uri.ts'
import type { Config } from './config.ts'

const NONCE_LIFETIME_MS = 300_000

/** Null where the request may pass, else the answer to it. */
export function authenticate(
  request: SipRequest,
  config: Config,
  nowMs: number,
): SipResponse | null {
  const isRegister = request.method === 'REGISTER'
  const given = headerValues(request, isRegister ? 'authorization' : 'proxy-authorization')
  const credentials = parseCredentials(given.join(', '))
  if (credentials === null || credentials.realm !== config.realm)
    return challenge(request, config, nowMs, false)
  const state = nonceState(credentials.nonce, config.nonceSecret, nowMs, NONCE_LIFETIME_MS)
  const password = passwordFor(credentials.username, config)
  const isKnown = password !== null && credentialsMatch(credentials, password, request.method)
  if (state === 'forged' || !isKnown) {
    return challenge(request, config, nowMs, false)
  }
  if (state === 'stale') return challenge(request, config, nowMs, true)
  const claimed = parseNameAddr(header(request, isRegister ? 'to' : 'from') ?? '')?.uri ?? ''
  if (parseUri(claimed)?.user !== credentials.username)
    return responseTo(request, 403, 'Not Your User')
  return null
}

function challenge(
  request: SipRequest,
  config: Config,
  nowMs: number,
  stale: boolean,
): SipResponse {
  const nonce = issueNonce(config.nonceSecret, nowMs)
  const value = `Digest realm="${config.realm}", nonce="${nonce}", qop="auth"${stale ? ', stale=true' : ''}`
  return request.method === 'REGISTER'
    ? responseTo(request, 401, 'Unauthorized', { headers: [['www-authenticate', value]] })
    : responseTo(request, 407, 'Proxy Authentication Required', {
        headers: [['proxy-authenticate', value]],
      })
}

/** Null where only listed users are known and this one is not. */
function passwordFor(user: string, config: Config): string | null {
  if (config.users !== null) return config.users.get(user) ?? null
  return createHash('md5').update(`${user}:${config.realm}:${config.passwordSecret}`).digest('hex')
}
