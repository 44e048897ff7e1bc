import { mkdtempSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { Announcement } from '../announcement.ts'
import { ANNOUNCEMENT_BYTES_MAX } from '../limits.ts'
import type { Proof } from '../proof.ts'
import { serveProof } from './proof-socket.ts'

const PROOF: Proof = {
  name: 'node-a',
  at: '2026-11-23T10:00:00.000Z',
  isAlive: true,
  addresses: ['203.0.113.10'],
  isComplete: true,
  ready: ['203.0.113.10'],
  isLeaving: false,
  reason: 'Serving',
  inside: ['192.0.2.1'],
  orders: null,
}
const ANNOUNCEMENT: Announcement = {
  announced: [],
  held: [],
  isInMaintenance: false,
  sessions: null,
  sessionsWanted: 0,
  problems: [],
}

const folder = mkdtempSync(join(tmpdir(), 'sipcast-proof-'))
const socketPath = join(folder, 'below', 'proof.sock')
let heard: Announcement[] = []
let close: () => void = () => undefined

beforeEach(() => {
  heard = []
  close = serveProof(socketPath, {
    prove: () => PROOF,
    announced: (one) => heard.push(one),
    tell: () => undefined,
  })
})
afterEach(() => {
  close()
  rmSync(folder, { recursive: true, force: true })
})

interface Answer {
  /** 0: cut off. */
  readonly status: number
  readonly text: string
}

async function ask(method: string, body = '', path = '/proof'): Promise<Answer> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const answer = await askOnce(method, body, path)
    if (answer !== 'absent') return answer
    await sleep(10)
  }
  throw new Error('nobody listens')
}

async function askOnce(method: string, body: string, path: string): Promise<Answer | 'absent'> {
  return await new Promise((resolve) => {
    const asked = request({ socketPath, method, path, agent: false }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk
      })
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }))
    })
    asked.on('error', (error: NodeJS.ErrnoException) =>
      resolve(error.code === 'ENOENT' ? 'absent' : { status: 0, text: '' }),
    )
    asked.end(body)
  })
}

it('proves to whoever asks, and hears who announces', async () => {
  const asked = await ask('GET')
  expect([asked.status, JSON.parse(asked.text)]).toEqual([200, PROOF])
  const told = await ask('POST', JSON.stringify(ANNOUNCEMENT))
  expect([told.status, JSON.parse(told.text)]).toEqual([200, PROOF])
  expect(heard).toEqual([ANNOUNCEMENT])
})

it('proves nothing to what it does not understand', async () => {
  expect((await ask('POST', '{"announced":')).status).toBe(400)
  expect((await ask('POST', JSON.stringify({ ...ANNOUNCEMENT, held: 'all' }))).status).toBe(400)
  expect((await ask('PUT', JSON.stringify(ANNOUNCEMENT))).status).toBe(405)
  expect((await ask('GET', '', '/')).status).toBe(404)
  expect((await ask('POST', 'x'.repeat(ANNOUNCEMENT_BYTES_MAX + 1))).status).toBe(0)
  expect(heard).toEqual([])
  expect((await ask('GET')).status).toBe(200)
})
