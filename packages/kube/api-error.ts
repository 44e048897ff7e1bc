/**
 * The one error of this package's requests: what the API server refused, or that it could not be reached. Whether
 * trying again may help is decided here and nowhere else.
 */

export const ApiErrorCode = {
  /** Somebody wrote in between: read again. */
  conflict: 'conflict',
  notFound: 'notFound',
  /** It is there already. */
  exists: 'exists',
  /** Not authenticated, or no permission. */
  denied: 'denied',
  /** The object or the request is wrong; the message says where. */
  invalid: 'invalid',
  /** A version that the server no longer knows (410): list again. */
  gone: 'gone',
  throttled: 'throttled',
  tooLarge: 'tooLarge',
  /** Anything that may pass: no connection, no answer, 5xx, an answer that is not understood. */
  unavailable: 'unavailable',
} as const
export type ApiErrorCode = (typeof ApiErrorCode)[keyof typeof ApiErrorCode]

export interface ApiErrorOptions {
  readonly code: ApiErrorCode
  /** Of HTTP; null where there was no answer. */
  readonly status?: number | null
  /** Kubernetes' own word (`AlreadyExists`), or the network's (`ECONNRESET`). */
  readonly reason?: string
  readonly retryAfterMs?: number | null
  readonly cause?: unknown
}

export class ApiError extends Error {
  override readonly name = 'ApiError'
  readonly code: ApiErrorCode
  readonly status: number | null
  readonly reason: string
  readonly retryAfterMs: number | null

  constructor(message: string, options: ApiErrorOptions) {
    super(message, options.cause === undefined ? {} : { cause: options.cause })
    this.code = options.code
    this.status = options.status ?? null
    this.reason = options.reason ?? ''
    this.retryAfterMs = options.retryAfterMs ?? null
  }

  /** Whether the same request may succeed later. */
  get isTransient(): boolean {
    return this.code === ApiErrorCode.unavailable || this.code === ApiErrorCode.throttled
  }
}

/** Of an answer (or an ERROR event of a watch): `body` is a Status, if all is well. */
export function errorOfStatus(status: number, body: unknown, retryAfter?: string): ApiError {
  const { message, reason, details } = asStatus(body)
  const seconds = Number(retryAfter ?? details?.retryAfterSeconds)
  return new ApiError(message ?? `the API server answered ${status}`, {
    code: codeOf(status, reason ?? '', message ?? ''),
    status,
    reason: reason ?? '',
    retryAfterMs: seconds > 0 ? seconds * 1000 : null,
  })
}

export function errorOfNetwork(cause: unknown): ApiError {
  if (cause instanceof ApiError) return cause
  const { code, message } = cause as NodeJS.ErrnoException
  return unavailable(`no answer from the API server: ${message}`, code ?? '', cause)
}

export function unavailable(message: string, reason: string, cause?: unknown): ApiError {
  return new ApiError(message, { code: ApiErrorCode.unavailable, reason, cause })
}

interface Status {
  readonly message?: string
  readonly reason?: string
  readonly details?: { readonly retryAfterSeconds?: number }
}

function asStatus(body: unknown): Status {
  return typeof body === 'object' && body !== null ? body : {}
}

const codeByStatus: Readonly<Record<number, ApiErrorCode>> = {
  401: ApiErrorCode.denied,
  403: ApiErrorCode.denied,
  404: ApiErrorCode.notFound,
  408: ApiErrorCode.unavailable,
  410: ApiErrorCode.gone,
  413: ApiErrorCode.tooLarge,
  429: ApiErrorCode.throttled,
}

function codeOf(status: number, reason: string, message: string): ApiErrorCode {
  if (status === 409) {
    return reason === 'AlreadyExists' ? ApiErrorCode.exists : ApiErrorCode.conflict
  }
  // etcd's own limit comes through as an internal error.
  if (status >= 500 && /request is too large/i.test(message)) return ApiErrorCode.tooLarge
  const code = codeByStatus[status]
  if (code !== undefined) return code
  return status >= 500 ? ApiErrorCode.unavailable : ApiErrorCode.invalid
}
