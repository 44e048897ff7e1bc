/**
 * The node's addresses, by the `ip` program: it carries the right to change them, so that this process needs
 * none. Not here: its language (`ip-commands.ts`). Invariant: a run takes at most IP_TIMEOUT_MS, then it is
 * killed, and waited for no longer: the kernel may not let go of it yet.
 */

import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { batchFailures, parsePresent, type Present } from '../ip-commands.ts'
import { IP_OUTPUT_BYTES_MAX, IP_TIMEOUT_MS } from '../limits.ts'
import { type AddressTable, IpError } from '../ports.ts'

interface Run {
  /** Null: it was killed. */
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export class IpProgram implements AddressTable {
  readonly #path: string

  constructor(path: string) {
    this.#path = path
  }

  async list(): Promise<Present> {
    const { code, stdout, stderr } = await this.#run(['-json', '-details', 'address', 'show'], '')
    const present = code === 0 ? parsePresent(stdout) : null
    if (present !== null) return present
    throw new IpError(`cannot list addresses: ${endOf(code)}: ${stderr.trim() || 'no JSON'}`)
  }

  async apply(lines: readonly string[]): Promise<string | null> {
    const input = lines.map((line) => `${line}\n`).join('')
    const { code, stderr } = await this.#run(['-force', '-batch', '-'], input)
    if (code === 0) return null
    const [failure] = batchFailures(stderr).values()
    return failure ?? `${endOf(code)}: ${stderr.trim()}`
  }

  /** Fails with IpError where it cannot be run. */
  async #run(args: readonly string[], input: string): Promise<Run> {
    const child = this.#spawn(args)
    const run = { stdout: '', stderr: '' }
    let timeout: NodeJS.Timeout | undefined
    const code = await new Promise<number | null>((resolve, reject) => {
      child.on('error', (cause) => reject(this.#failure(cause)))
      // Without a process there are no pipes either.
      if (child.pid === undefined) return
      timeout = setTimeout(() => {
        child.kill('SIGKILL')
        resolve(null)
      }, IP_TIMEOUT_MS)
      for (const name of ['stdout', 'stderr'] as const) {
        child[name].setEncoding('utf8').on('data', (chunk: string) => {
          run[name] += chunk
          if (run[name].length > IP_OUTPUT_BYTES_MAX) child.kill('SIGKILL')
        })
      }
      child.on('close', resolve)
      // What a script that was killed has started itself may keep the pipes open.
      child.on('exit', (exitCode) => {
        if (exitCode === null) resolve(null)
      })
      // A program that fails early does not read its input; its exit code says so better than EPIPE.
      child.stdin.on('error', () => undefined).end(input)
    })
    clearTimeout(timeout)
    return { code, ...run }
  }

  #spawn(args: readonly string[]): ChildProcessWithoutNullStreams {
    try {
      return spawn(this.#path, args)
    } catch (cause) {
      // Out of memory; all else is told by an event.
      throw this.#failure(cause as Error)
    }
  }

  #failure(cause: Error): IpError {
    return new IpError(`cannot run ${this.#path}: ${cause.message}`, { cause })
  }
}

function endOf(code: number | null): string {
  return code === null ? `killed after ${IP_TIMEOUT_MS} ms` : `exit code ${code}`
}
