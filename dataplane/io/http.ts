/**
 * /metrics, /healthz and /readyz. Not here: what they say. Invariants: nothing is accepted but GET and HEAD;
 * an address that can't be had is told once and tried again: metrics are no reason not to serve phones.
 */

import { createServer, type Server, type ServerResponse } from 'node:http'
import type { HostPort } from '../options.ts'
import { WRITE_RETRY_MS } from '../limits.ts'
import type { Tell } from '../ports.ts'

export interface HttpPages {
  readonly metrics: () => Promise<{ readonly contentType: string; readonly text: string }>
  /** Null: fine; else what is wrong. */
  readonly health: () => string | null
  readonly ready: () => string | null
}

/** Returns what ends it. */
export function serveHttp({ host, port }: HostPort, pages: HttpPages, tell: Tell): () => void {
  const server = createServer({ requestTimeout: 5_000 }, (request, response) => {
    if (request.method === 'GET' || request.method === 'HEAD') {
      void answerPath(request.url?.split('?')[0] ?? '/', response, pages)
    } else answer(response, 405, 'GET only\n')
  })
  let retry: NodeJS.Timeout | undefined
  let isTold = false
  server.on('listening', () => {
    isTold = false
    const message = `metrics at ${host}:${portOf(server)}`
    tell({ level: 'info', event: 'HttpListening', message, details: { port: portOf(server) } })
  })
  server.on('error', (error) => {
    if (!isTold) tell({ level: 'warn', event: 'HttpFailed', message: error.message })
    isTold = true
    retry = setTimeout(() => server.listen(port, host), WRITE_RETRY_MS)
  })
  server.listen(port, host)
  return () => {
    clearTimeout(retry)
    server.close()
    server.closeAllConnections()
  }
}

async function answerPath(path: string, response: ServerResponse, pages: HttpPages): Promise<void> {
  if (path === '/metrics') {
    const { contentType, text } = await pages.metrics()
    answer(response, 200, text, contentType)
  } else if (path === '/healthz') answerState(response, pages.health())
  else if (path === '/readyz') answerState(response, pages.ready())
  else answer(response, 404, 'there are /metrics, /healthz and /readyz\n')
}

function answerState(response: ServerResponse, problem: string | null): void {
  answer(response, problem === null ? 200 : 503, `${problem ?? 'ok'}\n`)
}

function answer(
  response: ServerResponse,
  status: number,
  text: string,
  contentType = 'text/plain; charset=utf-8',
): void {
  response.writeHead(status, { 'content-type': contentType }).end(text)
}

function portOf(server: Server): number {
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}
