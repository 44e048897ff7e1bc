/** From what the API server says to the closed set of codes the operator decides by. */
import { ApiError, ApiErrorCode } from '@sipcast/kube'
import { StoreError, StoreErrorCode } from '../../ports.ts'

const CODES: Readonly<Partial<Record<ApiErrorCode, StoreErrorCode>>> = {
  [ApiErrorCode.conflict]: StoreErrorCode.conflict,
  // It came, or went, since it was read.
  [ApiErrorCode.exists]: StoreErrorCode.conflict,
  [ApiErrorCode.notFound]: StoreErrorCode.conflict,
  [ApiErrorCode.denied]: StoreErrorCode.denied,
  [ApiErrorCode.tooLarge]: StoreErrorCode.full,
}

/** Runs one request of the store; what the API server refuses becomes a StoreError. */
export async function storing<T>(what: string, request: () => Promise<T>): Promise<T> {
  try {
    return await request()
  } catch (cause) {
    if (!(cause instanceof ApiError)) throw cause
    throw new StoreError(storeCodeOf(cause), `${what}: ${cause.message}`, { cause })
  }
}

export function storeCodeOf({ code }: ApiError): StoreErrorCode {
  return CODES[code] ?? StoreErrorCode.unavailable
}
