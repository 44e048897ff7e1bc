/**
 * /metrics, /healthz and /readyz. Not here: what they say. Invariant: a request costs nothing but its own answer;
 * nothing is accepted but GET and HEAD.
 */
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { ListenAddress } from '../config.ts'

export interface HttpPages {
  readonly metrics: () => Promise<{ readonly contentType: string; readonly text: string }>
  /** Null = fine, else what is wrong. */
  readonly health: () => string | null
  readonly ready: () => string | null
  /** What /readyz says when all is well. */
  readonly role: () => string
}

/** Rejects where the address cannot be had. */
export async function serveHttp({ host, port }: ListenAddress, pages: HttpPages): Promise<Server> {
  const server = createServer({ requestTimeout: 5_000 }, (request, response) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      answer(response, 405, 'GET only\n')
      return
    }
    const [path] = (request.url ?? '/').split('?')
    void answerPath(path ?? '/', response, pages)
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      resolve()
    })
  })
  return server
}

async function answerPath(path: string, response: ServerResponse, pages: HttpPages): Promise<void> {
  if (path === '/metrics') {
    const { contentType, text } = await pages.metrics()
    answer(response, 200, text, contentType)
  } else if (path === '/healthz') answerState(response, pages.health())
  else if (path === '/readyz') answerState(response, pages.ready(), pages.role())
  else answer(response, 404, 'there are /metrics, /healthz and /readyz\n')
}

function answerState(response: ServerResponse, problem: string | null, fine = 'ok'): void {
  answer(response, problem === null ? 200 : 503, `${problem ?? fine}\n`)
}

function answer(
  response: ServerResponse,
  status: number,
  text: string,
  contentType = 'text/plain; charset=utf-8',
): void {
  response.writeHead(status, { 'content-type': contentType }).end(text)
}
