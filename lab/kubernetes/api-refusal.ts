/** Why the fake API server refuses a request, as Kubernetes says it. */

export class ApiRefusal extends Error {
  readonly status: number
  readonly reason: string
  readonly retryAfterSeconds: number | null

  constructor(
    status: number,
    reason: string,
    message: string,
    retryAfterSeconds: number | null = null,
  ) {
    super(message)
    this.status = status
    this.reason = reason
    this.retryAfterSeconds = retryAfterSeconds
  }

  /** The Status object that goes over the wire. */
  toStatus(): object {
    const { status: code, reason, message, retryAfterSeconds } = this
    const details = retryAfterSeconds === null ? {} : { details: { retryAfterSeconds } }
    const head = { apiVersion: 'v1', kind: 'Status', metadata: {}, status: 'Failure' }
    return { ...head, message, reason, code, ...details }
  }
}

export function notFound(what: string): ApiRefusal {
  return new ApiRefusal(404, 'NotFound', `${what} not found`)
}

export function conflict(message: string): ApiRefusal {
  return new ApiRefusal(409, 'Conflict', `Operation cannot be fulfilled: ${message}`)
}

export function badRequest(message: string): ApiRefusal {
  return new ApiRefusal(400, 'BadRequest', message)
}

export function expired(message: string): ApiRefusal {
  return new ApiRefusal(410, 'Expired', message)
}
