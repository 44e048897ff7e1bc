/**
 * /proof on a unix socket: where the announcer asks whether this balancer lives (GET), and says itself how it
 * fares while it asks (POST). Answered by the main thread: a hung one does not answer. Not here: what either
 * says (`proof.ts`, `announcement.ts`). Invariants: the socket of a predecessor that died is replaced; a place
 * where none can be made is told once and tried again, since it is no reason not to serve phones; no more is
 * read than ANNOUNCEMENT_BYTES_MAX. Who may write to the socket may ask: the same user, and root.
 */

import { mkdirSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { dirname } from 'node:path'
import { type Announcement, parseAnnouncement } from '../announcement.ts'
import { ANNOUNCEMENT_BYTES_MAX, WRITE_RETRY_MS } from '../limits.ts'
import type { Tell } from '../ports.ts'
import type { Proof } from '../proof.ts'

export interface ProofPages {
  readonly prove: () => Proof
  readonly announced: (announcement: Announcement) => void
  readonly tell: Tell
}

/** Returns what ends it. */
export function serveProof(path: string, pages: ProofPages): () => void {
  const server = createServer({ requestTimeout: 1_000 }, (request, response) => {
    if (request.url !== '/proof') refuse(response, 404)
    else if (request.method === 'GET') answerProof(response, pages)
    else if (request.method === 'POST') takeAnnouncement(request, response, pages)
    else refuse(response, 405)
  })
  let retry: NodeJS.Timeout | undefined
  let isTold = false
  const failed = (error: unknown): void => {
    if (!isTold) pages.tell({ level: 'warn', event: 'ProofFailed', message: String(error) })
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

function takeAnnouncement(
  request: IncomingMessage,
  response: ServerResponse,
  pages: ProofPages,
): void {
  let text = ''
  request.setEncoding('utf8')
  request.on('data', (chunk: string) => {
    text += chunk
    if (text.length > ANNOUNCEMENT_BYTES_MAX) request.destroy()
  })
  request.on('end', () => {
    const announcement = parseAnnouncement(text)
    if (announcement === null) return refuse(response, 400)
    pages.announced(announcement)
    answerProof(response, pages)
  })
}

function answerProof(response: ServerResponse, { prove }: ProofPages): void {
  response.writeHead(200, { 'content-type': 'application/json' })
  response.end(`${JSON.stringify(prove())}\n`)
}

function refuse(response: ServerResponse, status: number): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' })
  response.end('there is /proof: GET, or POST of an announcement\n')
}
