/**
 * BIRD's control socket: one connection per command, so that no reply is ever taken for another's. Not here: the
 * language of replies (`reply.ts`, `sessions.ts`). Invariant: whatever BIRD does (frozen, gone, endless), a command
 * ends within COMMAND_TIMEOUT_MS and REPLY_BYTES_MAX: with its reply or with BirdError.
 */

import { connect } from 'node:net'
import { COMMAND_TIMEOUT_MS, REPLY_BYTES_MAX, WORDS_LENGTH_MAX } from '../limits.ts'
import { isRefusal, type Reply, takeReply } from '../reply.ts'
import {
  type BgpSession,
  type BirdStatus,
  readRoutes,
  readSessions,
  readStatus,
  steadied,
} from '../sessions.ts'
import { quoted, symbol } from '../words.ts'

export const BirdErrorCode = {
  /** No such socket, nobody behind it, or cut off: BIRD does not run. */
  absent: 'absent',
  /** No answer in time: it hangs, or works on something large. */
  silent: 'silent',
  /** It said no; the message is its own words. */
  refused: 'refused',
  /** Not the control protocol, or too much of it. */
  garbled: 'garbled',
} as const
export type BirdErrorCode = (typeof BirdErrorCode)[keyof typeof BirdErrorCode]

export class BirdError extends Error {
  override readonly name = 'BirdError'
  readonly code: BirdErrorCode

  constructor(code: BirdErrorCode, message: string, options?: ErrorOptions) {
    super(message.slice(0, WORDS_LENGTH_MAX), options)
    this.code = code
  }

  /** Worth trying again without a change. */
  get isTransient(): boolean {
    return this.code === BirdErrorCode.absent || this.code === BirdErrorCode.silent
  }
}

/** All methods fail with BirdError. */
export class BirdControl {
  readonly #socketPath: string
  readonly #timeoutMs: number
  #sessions: readonly BgpSession[] = []

  constructor(socketPath: string, timeoutMs: number = COMMAND_TIMEOUT_MS) {
    this.#socketPath = socketPath
    this.#timeoutMs = timeoutMs
  }

  async status(): Promise<BirdStatus> {
    return readStatus(await this.#ask('show status'))
  }

  /** One per BgpPeer in the configuration in use. */
  async sessions(): Promise<readonly BgpSession[]> {
    const protocols = await this.#ask('show protocols all')
    const sessions = readSessions(protocols, await this.#ask('show bfd sessions'))
    this.#sessions = steadied(sessions, this.#sessions)
    return this.#sessions
  }

  /** What that router is told: `203.0.113.10/32`. Empty while the session is down. */
  async routesTo(peer: string): Promise<readonly string[]> {
    const reply = await this.#command(`show route export ${symbol(peer)}`)
    // A session that is down has no table to export from.
    if (reply.lines.includes('No valid tables')) return []
    return readRoutes(agreed(reply))
  }

  /** Fails where BIRD would refuse this file, and changes nothing. */
  async check(path: string): Promise<void> {
    await this.#ask(`configure check ${quoted(path)}`)
  }

  /** Takes this file up. Sessions whose part of it is the same stay up. */
  async configure(path: string): Promise<void> {
    await this.#ask(`configure ${quoted(path)}`)
  }

  async #ask(command: string): Promise<readonly string[]> {
    return agreed(await this.#command(command))
  }

  async #command(command: string): Promise<Reply> {
    return await new Promise((resolve, reject) => {
      const signal = AbortSignal.timeout(this.#timeoutMs)
      const socket = connect({ path: this.#socketPath, signal })
      let text = ''
      let isGreeted = false
      const fail = (code: BirdErrorCode, message: string, cause?: unknown) => {
        socket.destroy()
        reject(new BirdError(code, message, { cause }))
      }
      socket.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk
        if (text.length > REPLY_BYTES_MAX) fail(BirdErrorCode.garbled, 'endless reply')
        const taken = isOver(chunk) ? takeReply(text) : null
        if (taken === null) return
        if (isGreeted) {
          socket.destroy()
          resolve(taken.reply)
          return
        }
        isGreeted = true
        text = taken.rest
        socket.write(`${command}\n`)
      })
      socket.on('error', (error) => {
        if (signal.aborted)
          fail(BirdErrorCode.silent, `no answer within ${this.#timeoutMs} ms`, error)
        else fail(BirdErrorCode.absent, error.message, error)
      })
      socket.on('close', () => fail(BirdErrorCode.absent, 'BIRD closed the connection'))
    })
  }
}

/** A reply ends with a line: looking for its end only there keeps long ones linear. */
function isOver(chunk: string): boolean {
  return chunk.endsWith('\n')
}

function agreed(reply: Reply): readonly string[] {
  if (isRefusal(reply)) throw new BirdError(BirdErrorCode.refused, reply.lines.at(-1) ?? '')
  return reply.lines
}
