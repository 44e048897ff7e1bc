/**
 * GET /proof on a unix socket: where the announcer asks whether this balancer lives. Answered by the main
 * thread: a hung one does not answer. Not here: what it says (`proof.ts`). Invariants: the socket of a
 * predecessor that died is replaced; a place where none can be made is told once and tried again, since it is
 * no reason not to serve phones. Who may write to the socket may ask: the same user, and root.
 */

import { mkdirSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { dirname } from 'node:path'
import { WRITE_RETRY_MS } from '../limits.ts'
import type { Tell } from '../ports.ts'
import type { Proof } from '../proof.ts'

/** Returns what ends it. */
export function serveProof(path: string, prove: () => Proof, tell: Tell): () => void {
  const server = createServer({ requestTimeout: 1_000 }, (request, response) => {
    const isAsked = request.method === 'GET' && request.url === '/proof'
    const text = isAsked ? JSON.stringify(prove()) : 'there is GET /proof'
    const type = isAsked ? 'application/json' : 'text/plain; charset=utf-8'
    response.writeHead(isAsked ? 200 : 404, { 'content-type': type }).end(`${text}\n`)
  })
  let retry: NodeJS.Timeout | undefined
  let isTold = false
  const failed = (error: unknown): void => {
    if (!isTold) tell({ level: 'warn', event: 'ProofFailed', message: String(error) })
    isTold = true
    retry = setTimeout(listen, WRITE_RETRY_MS)
  }
  const listen = (): void => {
    try {
      mkdirSync(dirname(path), { recursive: true })
      rmSync(path, { force: true })
      server.listen(path)
    } catch (error) {
      // The file system's word; a socket's comes as an event.
      failed(error)
    }
  }
  server.on('error', failed)
  server.on('listening', () => {
    isTold = false
  })
  listen()
  return () => {
    clearTimeout(retry)
    server.close()
    server.closeAllConnections()
  }
}
