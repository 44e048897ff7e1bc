/** From what the file system says to the closed set of codes that the balancer knows. */

import { StoreError, StoreErrorCode } from '../ports.ts'

const CODES: Readonly<Record<string, StoreErrorCode>> = {
  EACCES: StoreErrorCode.denied,
  EPERM: StoreErrorCode.denied,
  EROFS: StoreErrorCode.denied,
  ENOSPC: StoreErrorCode.full,
  EDQUOT: StoreErrorCode.full,
  EFBIG: StoreErrorCode.full,
  ENOENT: StoreErrorCode.absent,
  ENOTDIR: StoreErrorCode.absent,
}

/** @param what the sentence's beginning, such as "cannot write /a/b" */
export function storeErrorOf(cause: unknown, what: string): StoreError {
  if (cause instanceof StoreError) return cause
  const code = CODES[errnoOf(cause)] ?? StoreErrorCode.unavailable
  return new StoreError(code, `${what}: ${errnoOf(cause) || String(cause)}`, { cause })
}

/** `ENOENT` and the like; empty where the error carries none. */
export function errnoOf(cause: unknown): string {
  if (typeof cause !== 'object' || cause === null || !('code' in cause)) return ''
  return typeof cause.code === 'string' ? cause.code : ''
}
