/**
 * Digest authentication, both ends (RFC 3261 §22, RFC 7616; MD5 and SHA-256, qop `auth` or none). Nonces are
 * those of a pool: time and a MAC over it under a shared secret, so that any registrar can check what another
 * issued.
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto'

export interface Challenge {
  readonly realm: string
  readonly nonce: string
  readonly algorithm: string
  readonly qop: boolean
  readonly opaque: string | null
  readonly stale: boolean
}

export interface Credentials {
  readonly username: string
  readonly realm: string
  readonly nonce: string
  readonly uri: string
  readonly response: string
  readonly qop: string | null
  readonly nc: string
  readonly cnonce: string
}

export interface Answer {
  readonly method: string
  readonly uri: string
  readonly username: string
  readonly password: string
  readonly cnonce: string
}

export function parseChallenge(value: string): Challenge | null {
  const fields = parseFields(value)
  const realm = fields.get('realm')
  const nonce = fields.get('nonce')
  if (realm === undefined || nonce === undefined) return null
  return {
    realm,
    nonce,
    algorithm: fields.get('algorithm') ?? 'MD5',
    qop: (fields.get('qop') ?? '').split(',').some((option) => option.trim() === 'auth'),
    opaque: fields.get('opaque') ?? null,
    stale: fields.get('stale')?.toLowerCase() === 'true',
  }
}

/** The Authorization or Proxy-Authorization value that answers a challenge. */
export function answerChallenge(challenge: Challenge, answer: Answer): string {
  const nc = '00000001'
  const qop = challenge.qop ? 'auth' : null
  const response = digest(challenge.algorithm, answer.password, answer.method, {
    ...answer,
    ...challenge,
    qop,
    nc,
  })
  const fields = [
    `username="${answer.username}"`,
    `realm="${challenge.realm}"`,
    `nonce="${challenge.nonce}"`,
    `uri="${answer.uri}"`,
    `response="${response}"`,
    `algorithm=${challenge.algorithm}`,
  ]
  if (qop !== null) fields.push(`qop=${qop}`, `nc=${nc}`, `cnonce="${answer.cnonce}"`)
  if (challenge.opaque !== null) fields.push(`opaque="${challenge.opaque}"`)
  return `Digest ${fields.join(', ')}`
}

export function parseCredentials(value: string): Credentials | null {
  const fields = parseFields(value)
  const [username, realm, nonce, uri, response] = [
    'username',
    'realm',
    'nonce',
    'uri',
    'response',
  ].map((name) => fields.get(name))
  if (!username || !realm || !nonce || !uri || !response) return null
  const qop = fields.get('qop') ?? null
  return {
    username,
    realm,
    nonce,
    uri,
    response,
    qop,
    nc: fields.get('nc') ?? '',
    cnonce: fields.get('cnonce') ?? '',
  }
}

export function credentialsMatch(
  credentials: Credentials,
  password: string,
  method: string,
): boolean {
  const expected = Buffer.from(digest('MD5', password, method, credentials))
  const given = Buffer.from(credentials.response)
  return expected.length === given.length && timingSafeEqual(expected, given)
}

export function issueNonce(secret: string, nowMs: number): string {
  const issued = Math.floor(nowMs / 1000).toString(16)
  return `${issued}.${nonceMac(secret, issued)}`
}

export function nonceState(
  nonce: string,
  secret: string,
  nowMs: number,
  lifetimeMs: number,
): 'fresh' | 'stale' | 'forged' {
  const [issued = '', mac] = nonce.split('.')
  if (mac !== nonceMac(secret, issued)) return 'forged'
  return nowMs - Number.parseInt(issued, 16) * 1000 > lifetimeMs ? 'stale' : 'fresh'
}

function nonceMac(secret: string, issued: string): string {
  return createHmac('sha256', secret).update(issued).digest('hex').slice(0, 24)
}

type Fields = Pick<Credentials, 'username' | 'realm' | 'nonce' | 'uri' | 'qop' | 'nc' | 'cnonce'>

function digest(algorithm: string, password: string, method: string, fields: Fields): string {
  const hash = (text: string) =>
    createHash(algorithm.toUpperCase() === 'SHA-256' ? 'sha256' : 'md5')
      .update(text)
      .digest('hex')
  const user = hash(`${fields.username}:${fields.realm}:${password}`)
  const request = hash(`${method}:${fields.uri}`)
  const middle = fields.qop === null ? '' : `${fields.nc}:${fields.cnonce}:${fields.qop}:`
  return hash(`${user}:${fields.nonce}:${middle}${request}`)
}

function parseFields(value: string): Map<string, string> {
  const fields = new Map<string, string>()
  for (const match of value
    .replace(/^\s*Digest\s+/i, '')
    .matchAll(/([\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,]+))/g)) {
    fields.set((match[1] ?? '').toLowerCase(), match[2] ?? match[3] ?? '')
  }
  return fields
}
