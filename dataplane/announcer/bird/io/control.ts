/**
 * BIRD's control socket: one connection per command, so that no reply is ever taken for another's. Not here: the
 * language of replies (`reply.ts`, `sessions.ts`). Invariant: whatever BIRD does (frozen, gone, endless), a command
 * ends within COMMAND_TIMEOUT_MS and REPLY_BYTES_MAX: with its reply or with BirdError.
 */

import { connect } from 'node:net'
import { COMMAND_TIMEOUT_MS, REPLY_BYTES_MAX } from '../limits.ts'
import { type BirdDaemon, BirdError, BirdErrorCode } from '../ports.ts'
import { isRefusal, type Reply, takeReply } from '../reply.ts'
import {
  type BgpSession,
  type BirdStatus,
  readRoutes,
  readSessions,
  readStart,
  readStatus,
} from '../sessions.ts'
import { SteadyTimes } from '../steady-times.ts'
import { quoted, symbol } from '../words.ts'

/** All methods fail with BirdError. */
export class BirdControl implements BirdDaemon {
  readonly #socketPath: string
  readonly #timeoutMs: number
  readonly #times = new SteadyTimes()

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
    const bfd = await this.#command('show bfd sessions')
    // A configuration in which nobody wants BFD has no protocol for it.
    const isUnused = bfd.lines.includes('There is no BFD protocol running')
    const sessions = readSessions(protocols, isUnused ? [] : agreed(bfd))
    return this.#times.take(sessions, readStart(protocols))
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

  async enable(peer: string): Promise<void> {
    await this.#ask(`enable ${symbol(peer)}`)
  }

  /** Ends BIRD, in order: it says goodbye to its routers. */
  async down(): Promise<void> {
    await this.#ask('down')
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
