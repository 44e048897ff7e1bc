/**
 * The node's addresses, by the `ip` program: it carries the right to change them, so that this process needs
 * none. Not here: its language (`ip-commands.ts`). Invariant: a run takes at most IP_TIMEOUT_MS, then it is
 * killed.
 */

import { spawn } from 'node:child_process'
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

  /** Fails with IpError where there is no such program. */
  async #run(args: readonly string[], input: string): Promise<Run> {
    return await new Promise((resolve, reject) => {
      const child = spawn(this.#path, args, { timeout: IP_TIMEOUT_MS, killSignal: 'SIGKILL' })
      const run = { stdout: '', stderr: '' }
      for (const name of ['stdout', 'stderr'] as const) {
        child[name].setEncoding('utf8').on('data', (chunk: string) => {
          run[name] += chunk
          if (run[name].length > IP_OUTPUT_BYTES_MAX) child.kill('SIGKILL')
        })
      }
      child.on('error', (cause) => {
        reject(new IpError(`cannot run ${this.#path}: ${cause.message}`, { cause }))
      })
      child.on('close', (code) => resolve({ code, ...run }))
      // What a script that was killed has started itself may keep the pipes open.
      child.on('exit', (code) => {
        if (code === null) resolve({ code, ...run })
      })
      // A program that fails early does not read its input; its exit code says so better than EPIPE.
      child.stdin.on('error', () => undefined).end(input)
    })
  }
}

function endOf(code: number | null): string {
  return code === null ? `killed after ${IP_TIMEOUT_MS} ms` : `exit code ${code}`
}
