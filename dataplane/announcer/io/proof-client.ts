/**
 * Asks the balancer beside us for its proof. Not here: what follows from it. Invariant: whatever the other side
 * does, the answer is there within PROOF_TIMEOUT_MS and of bounded length, or it is none.
 */

import { request } from 'node:http'
import { type Proof, parseProof } from '../../proof.ts'
import { PROOF_BYTES_MAX, PROOF_TIMEOUT_MS } from '../limits.ts'
import type { ProofSource } from '../ports.ts'

export class ProofClient implements ProofSource {
  readonly #socketPath: string

  constructor(socketPath: string) {
    this.#socketPath = socketPath
  }

  async prove(): Promise<Proof | null> {
    const signal = AbortSignal.timeout(PROOF_TIMEOUT_MS)
    return await new Promise((resolve) => {
      const asked = request(
        { socketPath: this.#socketPath, path: '/proof', agent: false, signal },
        (response) => {
          let text = ''
          response.setEncoding('utf8').on('data', (chunk: string) => {
            text += chunk
            if (text.length > PROOF_BYTES_MAX) asked.destroy()
          })
          response.on('end', () => resolve(response.statusCode === 200 ? parseProof(text) : null))
          response.on('error', () => resolve(null))
        },
      )
      // Refused, no such socket, cut off or too late: no proof, all the same.
      asked.on('error', () => resolve(null))
      asked.end()
    })
  }
}
