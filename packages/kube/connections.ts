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
  IDLE_CONNECTION_MS,
  KEEP_ALIVE_DELAY_MS,
  RESPONSE_BYTES_MAX,
} from './limits.ts'

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

  constructor(access: Access, clock: Clock) {
    this.#access = access
    this.#clock = clock
    this.#base = new URL(access.server)
    this.#client = this.#base.protocol === 'https:' ? https : http
    const options = { keepAlive: true, maxSockets: CONNECTIONS_MAX, timeout: IDLE_CONNECTION_MS }
    this.#agent = new this.#client.Agent({ ...options, ...access.tls })
  }

  /** The whole answer. */
  async exchange(outgoing: Outgoing): Promise<Answer> {
    return this.read(await this.open(outgoing), outgoing.timeoutMs)
  }

  /** The answer as soon as it begins; whoever asked reads it to its end or destroys it. */
  async open(outgoing: Outgoing): Promise<IncomingMessage> {
    try {
      return await this.#send(outgoing, outgoing.isAlone === true)
    } catch (error) {
      // The server closed an idle connection while we took it for the next request: that is no failure.
      if (!(error instanceof StaleConnection)) throw errorOfNetwork(error)
      if (!outgoing.isRepeatable) throw errorOfNetwork(error.cause)
    }
    return this.#send(outgoing, true).catch((error: unknown) => {
      throw errorOfNetwork(error)
    })
  }

  async read(response: IncomingMessage, timeoutMs: number): Promise<Answer> {
    return {
      status: response.statusCode ?? 0,
      retryAfter: response.headers['retry-after'],
      text: await this.#readAll(response, timeoutMs),
    }
  }

  close(): void {
    this.#agent.destroy()
  }

  #send(outgoing: Outgoing, isAlone: boolean): Promise<IncomingMessage> {
    const { method, path, headers, body, signal, timeoutMs } = outgoing
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
    const stopTimer = this.#clock.setTimer(timeoutMs, () => request.destroy(silence(timeoutMs)))
    request.on('socket', keepAlive)
    request.on('response', (response) => {
      stopTimer()
      resolve(response)
    })
    request.on('error', (cause) => {
      stopTimer()
      reject(isStale(request, cause) ? new StaleConnection('closed while idle', { cause }) : cause)
    })
    request.end(body)
    return promise
  }

  async #readAll(response: IncomingMessage, timeoutMs: number): Promise<string> {
    const chunks: Buffer[] = []
    let size = 0
    const giveUp = () => void response.destroy(silence(timeoutMs))
    let stopTimer = this.#clock.setTimer(timeoutMs, giveUp)
    try {
      for await (const chunk of response as AsyncIterable<Buffer>) {
        stopTimer()
        stopTimer = this.#clock.setTimer(timeoutMs, giveUp)
        chunks.push(chunk)
        size += chunk.length
        if (size > RESPONSE_BYTES_MAX) throw tooLarge()
      }
    } catch (error) {
      throw errorOfNetwork(error)
    } finally {
      stopTimer()
    }
    return Buffer.concat(chunks).toString()
  }
}

class StaleConnection extends Error {}

function isStale(request: ClientRequest, error: NodeJS.ErrnoException): boolean {
  return request.reusedSocket && (error.code === 'ECONNRESET' || error.code === 'EPIPE')
}

/** A path that swallows packets is found out by TCP itself, well before any timer of ours about silence. */
function keepAlive(socket: Socket): void {
  socket.setKeepAlive(true, KEEP_ALIVE_DELAY_MS)
}

function silence(timeoutMs: number): ApiError {
  return unavailable(`no answer from the API server within ${timeoutMs} ms`, 'Timeout')
}

function tooLarge(): ApiError {
  const message = `an answer of more than ${RESPONSE_BYTES_MAX} bytes`
  return new ApiError(message, { code: ApiErrorCode.tooLarge, reason: 'AnswerTooLarge' })
}
