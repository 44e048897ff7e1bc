/**
 * Tells the balancer beside us how this node fares, and asks it for its proof. Not here: what follows from it.
 * Invariant: whatever the other side does, the answer is there within PROOF_TIMEOUT_MS and of bounded length, or it
 * is none.
 */

import { request } from 'node:http'
import type { Announcement } from '../../announcement.ts'
import { errnoOf } from '../../io/store-error.ts'
import { type Proof, parseProof } from '../../proof.ts'
import { PROOF_BYTES_MAX, PROOF_TIMEOUT_MS } from '../limits.ts'
import { type ProofSource, Silence } from '../ports.ts'

/** Nobody listens, or has ever listened, there; all else may be a balancer that is alive. */
const ABSENT: readonly string[] = ['ECONNREFUSED', 'ENOENT']

export class ProofClient implements ProofSource {
  readonly #socketPath: string

  constructor(socketPath: string) {
    this.#socketPath = socketPath
  }

  async prove(announcement: Announcement): Promise<Proof | Silence> {
    const signal = AbortSignal.timeout(PROOF_TIMEOUT_MS)
    const body = JSON.stringify(announcement)
    return await new Promise((resolve) => {
      const to = { socketPath: this.#socketPath, path: '/proof', method: 'POST', agent: false }
      const headers = {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
      }
      const asked = request({ ...to, headers, signal }, (response) => {
        let text = ''
        response.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk
          if (text.length > PROOF_BYTES_MAX) asked.destroy()
        })
        response.on('end', () => {
          const proof = response.statusCode === 200 ? parseProof(text) : null
          resolve(proof ?? Silence.silent)
        })
        response.on('error', () => resolve(Silence.silent))
      })
      asked.on('error', (error) => {
        resolve(ABSENT.includes(errnoOf(error)) ? Silence.absent : Silence.silent)
      })
      asked.end(body)
    })
  }
}
