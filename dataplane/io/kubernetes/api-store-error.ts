/** From what the API server says to the closed set of codes that the balancer knows. */

import { ApiError, ApiErrorCode } from '@sipcast/kube'
import { StoreError, StoreErrorCode } from '../../ports.ts'

const CODES: Readonly<Partial<Record<ApiErrorCode, StoreErrorCode>>> = {
  [ApiErrorCode.denied]: StoreErrorCode.denied,
  [ApiErrorCode.notFound]: StoreErrorCode.absent,
  [ApiErrorCode.tooLarge]: StoreErrorCode.full,
}

/**
 * @param what the sentence's beginning
 * @throws whatever is not of the API server's making: a defect of ours
 */
export function apiStoreError(cause: unknown, what: string): StoreError {
  if (!(cause instanceof ApiError)) throw cause
  const code = CODES[cause.code] ?? StoreErrorCode.unavailable
  return new StoreError(code, `${what}: ${cause.message}`, { cause })
}
