import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, it } from 'vitest'
import type { Notice } from '../ports.ts'
import { type HttpPages, serveHttp } from './http.ts'

const pages: HttpPages = {
  metrics: async () => ({ contentType: 'text/plain; version=0.0.4', text: 'one 1\n' }),
  health: () => null,
  ready: () => 'KeysMissing: there are no keys yet',
}

let close: () => void = () => undefined
afterEach(() => close())

/** Serves, and waits for the first thing that is told. */
async function serve(port: number): Promise<Notice> {
  return await new Promise((resolve) => {
    close = serveHttp({ host: '127.0.0.1', port }, pages, resolve)
  })
}

it('serves metrics, and health in a sentence', async () => {
  const { event, details } = await serve(0)
  expect(event).toBe('HttpListening')
  const at = `http://127.0.0.1:${String(details?.['port'])}`
  const answers = await Promise.all(
    ['/metrics', '/healthz', '/readyz?verbose', '/'].map(async (path) => {
      const response = await fetch(at + path)
      return [response.status, await response.text()]
    }),
  )
  expect(answers).toEqual([
    [200, 'one 1\n'],
    [200, 'ok\n'],
    [503, 'KeysMissing: there are no keys yet\n'],
    [404, 'there are /metrics, /healthz and /readyz\n'],
  ])
  expect((await fetch(`${at}/metrics`, { method: 'POST' })).status).toBe(405)
})

it('tells a port that cannot be had, and lives on', async () => {
  const taker = createServer().listen(0, '127.0.0.1')
  await once(taker, 'listening')
  const { event, level } = await serve((taker.address() as AddressInfo).port)
  expect({ event, level }).toEqual({ event: 'HttpFailed', level: 'warn' })
  taker.close()
})
