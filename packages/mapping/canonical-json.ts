/**
 * RFC 8785, the JSON Canonicalization Scheme: one spelling per value, so that a checksum over it means the value.
 * ECMAScript's own number and string serialisation is what the RFC prescribes (§3.2.2), so only key order, white
 * space and the refusal of lone surrogates are left to do here.
 *
 * Not a general JSON writer: no toJSON, no skipping of undefined; values are as plain as JSON.parse makes them.
 */

export class CanonicalJsonError extends Error {
  override readonly name = 'CanonicalJsonError'
  readonly code = 'not-canonical'
}

/** @throws CanonicalJsonError for what I-JSON cannot say (lone surrogates, NaN) and for nesting beyond `depthMax`. */
export function canonicalJson(value: unknown, depthMax: number): string {
  if (typeof value === 'string') return canonicalString(value)
  if (typeof value === 'number' && !Number.isFinite(value)) {
    throw new CanonicalJsonError('a number is not finite')
  }
  if (typeof value === 'number' || typeof value === 'boolean' || value === null) {
    return JSON.stringify(value)
  }
  if (typeof value !== 'object') throw new CanonicalJsonError(`a ${typeof value} is not JSON`)
  if (depthMax === 0) throw new CanonicalJsonError('nested too deeply')
  if (Array.isArray(value)) {
    return `[${value.map((item) => canonicalJson(item, depthMax - 1)).join(',')}]`
  }
  // Array.prototype.sort compares strings by UTF-16 code units, which is the RFC's order (§3.2.3).
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  const parts = members.map(
    ([key, item]) => `${canonicalString(key)}:${canonicalJson(item, depthMax - 1)}`,
  )
  return `{${parts.join(',')}}`
}

function canonicalString(value: string): string {
  if (!value.isWellFormed()) throw new CanonicalJsonError('a string has a lone surrogate')
  return JSON.stringify(value)
}
