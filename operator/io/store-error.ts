/** From what the file system says to the closed set of codes the operator decides by. */
import { StoreError, StoreErrorCode } from '../ports.ts'

const CODES: Readonly<Record<string, StoreErrorCode>> = {
  EACCES: StoreErrorCode.denied,
  EPERM: StoreErrorCode.denied,
  EROFS: StoreErrorCode.denied,
  ENOSPC: StoreErrorCode.full,
  EDQUOT: StoreErrorCode.full,
  EFBIG: StoreErrorCode.full,
}

export function storeErrorOf(cause: unknown, what: string): StoreError {
  if (cause instanceof StoreError) return cause
  const errno = errnoOf(cause)
  const why = cause instanceof Error ? cause.message : String(cause)
  return new StoreError(CODES[errno] ?? StoreErrorCode.unavailable, `${what}: ${why}`, { cause })
}

/** `ENOENT` and the like; empty where the error carries none. */
export function errnoOf(cause: unknown): string {
  if (typeof cause !== 'object' || cause === null || !('code' in cause)) return ''
  return typeof cause.code === 'string' ? cause.code : ''
}
