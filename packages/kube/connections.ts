/**
 * HTTP to one API server, over kept-alive connections: a request goes out, an answer comes back whole or as a stream.
 * Not here: what requests mean (api-server.ts). Invariants: no request waits longer than its `timeoutMs` in silence;
 * every failure is an ApiError; a watch has a connection of its own, so that requests never wait for one.
 */
import http, { type ClientRequest, type IncomingMessage } from 'node:http'
import https from 'node:https'
import type { Socket } from 'node:net'
import type { Access } from './access.ts'
import { ApiError, ApiErrorCode, errorOfNetwork, unavailable } from './api-error.ts'
import type { Clock } from './clock.ts'
import {
  CONNECTIONS_MAX,
  HASTE_MS,
  IDLE_CONNECTION_MS,
  KEEP_ALIVE_DELAY_MS,
  PROBE_TIMEOUT_MS,
  REQUEST_PROBE_MS,
  RESPONSE_BYTES_MAX,
  WATCH_PROBE_MS,
  WATCH_SILENCE_MS,
} from './limits.ts'
import { Patience } from './patience.ts'
import { Reachability } from './reachability.ts'
import { readEvents, type WatchEvent } from './watch-stream.ts'

export interface Outgoing {
  readonly method: string
  /** With its query. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
  /** Longest silence. */
  readonly timeoutMs: number
  readonly signal?: AbortSignal | undefined
  /** On a connection of its own, closed afterwards. */
  readonly isAlone?: boolean
  /** May be sent again when a kept-alive connection turns out to be closed. */
  readonly isRepeatable: boolean
  /** Asking twice does no harm: the first attempt has little patience. */
  readonly isHasty: boolean
  /** Is given up (`Renewed`) when the server was away meanwhile and is back. */
  readonly isRenewable: boolean
}

export interface Answer {
  readonly status: number
  readonly retryAfter: string | undefined
  readonly text: string
}

export class Connections {
  readonly #access: Access
  readonly #clock: Clock
  readonly #base: URL
  readonly #client: typeof http | typeof https
  readonly #agent: http.Agent
  readonly #reachability: Reachability

  constructor(access: Access, clock: Clock) {
    this.#access = access
    this.#clock = clock
    this.#base = new URL(access.server)
    this.#client = this.#base.protocol === 'https:' ? https : http
    const options = { keepAlive: true, maxSockets: CONNECTIONS_MAX, timeout: IDLE_CONNECTION_MS }
    this.#agent = new this.#client.Agent({ ...options, ...access.tls })
    this.#reachability = new Reachability(clock, (isFresh) => this.#isAnswered(isFresh))
  }

  /** The whole answer. */
  async exchange(outgoing: Outgoing): Promise<Answer> {
    return this.read(await this.open(outgoing), outgoing)
  }

  /** The answer as soon as it begins; whoever asked reads it to its end or destroys it. */
  async open(outgoing: Outgoing): Promise<IncomingMessage> {
    try {
      return (await this.#openHastily(outgoing)) ?? (await this.#openPatiently(outgoing))
    } catch (error) {
      throw this.#failed(error, outgoing.signal)
    }
  }

  /**
   * A first attempt with little patience, where asking twice does no harm: a server that had a short lapse swallowed
   * it. One that is slow will answer the second. Null: no answer yet.
   */
  async #openHastily(outgoing: Outgoing): Promise<IncomingMessage | null> {
    if (!outgoing.isHasty || outgoing.timeoutMs <= HASTE_MS) return null
    try {
      return await this.#openPatiently({ ...outgoing, timeoutMs: HASTE_MS })
    } catch (error) {
      if (!(error instanceof ApiError) || error.reason !== TIMEOUT) throw error
      this.#reachability.lookNow()
      return null
    }
  }

  async #openPatiently(outgoing: Outgoing): Promise<IncomingMessage> {
    try {
      return await this.#send(outgoing, outgoing.isAlone === true)
    } catch (error) {
      // The server closed an idle connection while we took it for the next request: that is no failure.
      if (!(error instanceof StaleConnection)) throw error
      if (!outgoing.isRepeatable) throw error.cause
    }
    return this.#send(outgoing, true)
  }

  /** The rest of an answer that has begun. */
  async read(response: IncomingMessage, outgoing: Outgoing): Promise<Answer> {
    const chunks: Buffer[] = []
    let size = 0
    const patience = this.#patience(outgoing, (error) => void response.destroy(error))
    try {
      for await (const chunk of response as AsyncIterable<Buffer>) {
        patience.heard()
        chunks.push(chunk)
        size += chunk.length
        if (size > RESPONSE_BYTES_MAX) throw tooLarge()
      }
    } catch (error) {
      throw this.#failed(error, outgoing.signal)
    } finally {
      patience.end()
    }
    return {
      status: response.statusCode ?? 0,
      retryAfter: response.headers['retry-after'],
      text: Buffer.concat(chunks).toString(),
    }
  }

  /** The events of a watch, until the server ends it, it is silent for too long, or its connection may be lost. */
  async *events(response: IncomingMessage, { signal }: Outgoing): AsyncGenerator<WatchEvent> {
    let isOver = false
    const renew = () => {
      isOver = true
      response.destroy()
    }
    const patience = new Patience({
      clock: this.#clock,
      silenceMs: WATCH_SILENCE_MS,
      onSilence: renew,
      reachability: this.#reachability,
      probeAfterMs: WATCH_PROBE_MS,
      onReturn: renew,
    })
    try {
      for await (const event of readEvents(response)) {
        patience.heard()
        yield event
      }
    } catch (error) {
      if (!isOver) throw this.#failed(error, signal)
    } finally {
      patience.end()
      response.destroy()
    }
  }

  close(): void {
    this.#agent.destroy()
  }

  #send(outgoing: Outgoing, isAlone: boolean): Promise<IncomingMessage> {
    const { method, path, headers, body, signal } = outgoing
    const { hostname, port, pathname } = this.#base
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
    const request = this.#client.request({
      ...this.#access.tls,
      host: hostname.replace(/^\[|\]$/g, ''),
      port,
      method,
      path: pathname.replace(/\/$/, '') + path,
      headers:
        body === undefined ? headers : { ...headers, 'content-length': Buffer.byteLength(body) },
      agent: isAlone ? false : this.#agent,
      ...(signal === undefined ? {} : { signal }),
    })
    const patience = this.#patience(outgoing, (error) => void request.destroy(error))
    request.on('socket', keepAlive)
    request.on('response', (response) => {
      patience.end()
      resolve(response)
    })
    request.on('error', (cause) => {
      patience.end()
      reject(isStale(request, cause) ? new StaleConnection('closed while idle', { cause }) : cause)
    })
    request.end(body)
    return promise
  }

  #patience({ timeoutMs, isRenewable }: Outgoing, giveUp: (error: ApiError) => void): Patience {
    return new Patience({
      clock: this.#clock,
      silenceMs: timeoutMs,
      onSilence: () => giveUp(silence(timeoutMs)),
      reachability: isRenewable ? this.#reachability : null,
      probeAfterMs: REQUEST_PROBE_MS,
      onReturn: () => giveUp(renewed()),
    })
  }

  /** What is thrown instead; that somebody stopped asking says nothing about the server. */
  #failed(cause: unknown, signal: AbortSignal | undefined): ApiError {
    const error = errorOfNetwork(cause)
    const isUnanswered = error.code === ApiErrorCode.unavailable && error.status === null
    if (isUnanswered && error.reason !== RENEWED && signal?.aborted !== true) {
      this.#reachability.failed()
    }
    return error
  }

  /** Any answer will do. */
  async #isAnswered(isFresh: boolean): Promise<boolean> {
    try {
      const headers = await this.#access.headers()
      const response = await this.#openPatiently({ ...PROBE, headers, isAlone: isFresh })
      response.resume()
      return true
    } catch {
      // That is what was asked.
      return false
    }
  }
}

/**
 * The reason of an ApiError: the server was away and is back, so whoever asked is to ask once more. As after any
 * silence, a write may have been carried out.
 */
export const RENEWED = 'Renewed'

const TIMEOUT = 'Timeout'

const PROBE: Outgoing = {
  method: 'GET',
  path: '/version',
  headers: {},
  timeoutMs: PROBE_TIMEOUT_MS,
  isRepeatable: true,
  isHasty: false,
  isRenewable: false,
}

class StaleConnection extends Error {}

function isStale(request: ClientRequest, error: NodeJS.ErrnoException): boolean {
  return request.reusedSocket && (error.code === 'ECONNRESET' || error.code === 'EPIPE')
}

/** A path that swallows packets is found out by TCP itself, well before any timer of ours about silence. */
function keepAlive(socket: Socket): void {
  socket.setKeepAlive(true, KEEP_ALIVE_DELAY_MS)
}

function renewed(): ApiError {
  return unavailable('the API server was away while it was asked', RENEWED)
}

function silence(timeoutMs: number): ApiError {
  return unavailable(`no answer from the API server within ${timeoutMs} ms`, TIMEOUT)
}

function tooLarge(): ApiError {
  const message = `an answer of more than ${RESPONSE_BYTES_MAX} bytes`
  return new ApiError(message, { code: ApiErrorCode.tooLarge, reason: 'AnswerTooLarge' })
}
