/** The directory skin on a real folder. */
import {
  chmod,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { RESCAN_PERIOD_MS } from '../limits.ts'
import type { Change, Notice } from '../ports.ts'
import { Directory } from './directory.ts'
import { lockDirectory } from './lock.ts'
import { systemClock } from './system-clock.ts'

const KEY = 'default/voice'
const STATUS = {
  observedGeneration: 1,
  conditions: [],
  proxies: [],
  table: null,
  summary: { proxies: '0/0', balancers: '0/0' },
}

let path: string
let directory: Directory
let changes: Change[]
let notices: Notice[]

beforeEach(async () => {
  path = await mkdtemp(join(tmpdir(), 'sipcast-directory-'))
  changes = []
  notices = []
  await open()
})

afterEach(async () => {
  await directory.stop()
  await rm(path, { recursive: true, force: true })
})

async function open(): Promise<void> {
  directory = new Directory({
    path,
    clock: systemClock,
    tell: (notice) => notices.push(notice),
  })
  directory.watch((change) => changes.push(change))
  await directory.start()
}

async function reopen(): Promise<void> {
  await directory.stop()
  await open()
}

async function soon(check: () => void): Promise<void> {
  await vi.waitFor(check, { timeout: 10_000, interval: 10 })
}

function manifest(name: string): string {
  return `apiVersion: sipcast.io/v1alpha1\nkind: SipProxy\nmetadata: {name: ${name}}\n`
}

async function write(name: string, text: string): Promise<void> {
  await writeFile(join(path, name), text)
}

function kindOf(key: string): string {
  return directory.sighting(key).kind
}

test('a manifest is seen soon after it is written, and again when it changes', async () => {
  await write('voice.yaml', manifest('voice'))
  await soon(() => expect(kindOf(KEY)).toBe('present'))
  expect(changes).toContainEqual({ what: 'sipProxy', key: KEY })
  const beganMs = performance.now()
  for (let port = 5070; port < 5075; port++) {
    await write('voice.yaml', `${manifest('voice')}spec: {port: ${port}}\n`)
    await soon(() => expect(directory.sighting(KEY)).toMatchObject({ object: { spec: { port } } }))
  }
  // By rescans alone each would take a period, as the one before was just over.
  expect(performance.now() - beganMs).toBeLessThan(2 * RESCAN_PERIOD_MS)
})

test('a manifest that is truncated and written again was never gone', async () => {
  await write('voice.yaml', manifest('voice'))
  await soon(() => expect(kindOf(KEY)).toBe('present'))
  await write('voice.yaml', '')
  await new Promise((resolve) => setTimeout(resolve, 300))
  expect(kindOf(KEY)).toBe('present')
  await write('voice.yaml', manifest('voice'))
  await new Promise((resolve) => setTimeout(resolve, 1_200))
  expect(kindOf(KEY)).toBe('present')
})

test('a removed manifest is gone after a while, and that is told', async () => {
  await write('voice.yaml', manifest('voice'))
  await soon(() => expect(kindOf(KEY)).toBe('present'))
  await rm(join(path, 'voice.yaml'))
  changes.length = 0
  await soon(() => expect(kindOf(KEY)).toBe('absent'))
  expect(changes).toContainEqual({ what: 'sipProxy', key: KEY })
})

test('a SipProxy that moves to another file was never gone', async () => {
  await write('voice.yaml', manifest('voice'))
  await soon(() => expect(kindOf(KEY)).toBe('present'))
  await rename(join(path, 'voice.yaml'), join(path, 'renamed.yml'))
  await new Promise((resolve) => setTimeout(resolve, 1_300))
  expect(kindOf(KEY)).toBe('present')
})

test('a broken manifest makes its SipProxy unreadable, not absent', async () => {
  await write('voice.yaml', manifest('voice'))
  await soon(() => expect(kindOf(KEY)).toBe('present'))
  await write('voice.yaml', `${manifest('voice')}spec: {port: 5070\n`)
  await soon(() => expect(kindOf(KEY)).toBe('unreadable'))
  expect(notices.map(({ event }) => event)).toContain('ManifestUnreadable')
})

test('while a document without a name is broken, nobody who is missing counts as gone', async () => {
  await write('broken.yaml', 'kind: SipProxy\n\tname: ?\n')
  await mkdir(join(path, 'tables'), { recursive: true })
  await write('tables/default.voice.json', '{}')
  await reopen()
  await new Promise((resolve) => setTimeout(resolve, 1_200))
  expect(directory.keys().has(KEY)).toBe(true)
  expect(kindOf(KEY)).toBe('unreadable')
  changes.length = 0
  await rm(join(path, 'broken.yaml'))
  await soon(() => expect(kindOf(KEY)).toBe('absent'))
  expect(changes).toContainEqual({ what: 'sipProxy', key: KEY })
})

test('a folder that vanishes takes no SipProxy along', async () => {
  await write('voice.yaml', manifest('voice'))
  await soon(() => expect(kindOf(KEY)).toBe('present'))
  await rename(path, `${path}.away`)
  await new Promise((resolve) => setTimeout(resolve, 3_500))
  expect(kindOf(KEY)).toBe('present')
  await rename(`${path}.away`, path)
}, 10_000)

test('of two manifests for one SipProxy the first file counts', async () => {
  await write('a.yaml', `${manifest('voice')}spec: {port: 1}\n`)
  await write('b.yaml', `${manifest('voice')}spec: {port: 2}\n`)
  await soon(() => expect(notices.map(({ event }) => event)).toContain('ManifestDuplicate'))
  expect(directory.sighting(KEY)).toMatchObject({ object: { spec: { port: 1 } } })
})

test('tables are written by compare-and-set, and our own writes are no news', async () => {
  const first = await directory.writeTable(KEY, 'one', null)
  expect(await directory.readTable(KEY)).toEqual({ text: 'one', version: first })
  await expect(directory.writeTable(KEY, 'two', null)).rejects.toMatchObject({ code: 'conflict' })
  await directory.writeTable(KEY, 'two', first)
  await new Promise((resolve) => setTimeout(resolve, 200))
  expect(changes).toEqual([])
  await write('tables/default.voice.json', 'meddled')
  await soon(() => expect(changes).toContainEqual({ what: 'table', key: KEY }))
})

test('status comes back as written; one that cannot be read is none', async () => {
  await directory.writeStatus(KEY, STATUS)
  expect(await directory.readStatus(KEY)).toEqual(STATUS)
  await write('status/default.voice.json', '{"observedGeneration": "many"}')
  expect(await directory.readStatus(KEY)).toBeNull()
  await soon(() => expect(changes).toContainEqual({ what: 'status', key: KEY }))
})

test('keys.json is for its owner only, even if somebody opened it', async () => {
  await directory.writeKeys('{}', null)
  const file = join(path, 'keys.json')
  expect((await stat(file)).mode & 0o777).toBe(0o600)
  await chmod(file, 0o644)
  await directory.readKeys()
  expect((await stat(file)).mode & 0o777).toBe(0o600)
  expect(notices.map(({ event }) => event)).toEqual(['KeysModeMended'])
})

test('reports of balancers are read; a bad one leaves the last good one', async () => {
  const heartbeatAt = '2026-11-23T09:00:00.000Z'
  await write('balancers/node-1.json', JSON.stringify({ heartbeatAt, version: '1' }))
  await soon(() => expect(directory.balancer('node-1')).not.toBeNull())
  await write('balancers/node-1.json', '{')
  await soon(() => expect(notices.map(({ event }) => event)).toEqual(['ReportUnreadable']))
  expect(directory.balancer('node-1')?.status.version).toBe('1')
  await rm(join(path, 'balancers/node-1.json'))
  await soon(() => expect(directory.balancers()).toEqual([]))
})

test('a place where nothing can be written says so, and leaves nothing behind', async () => {
  await rm(join(path, 'tables'), { recursive: true })
  // sysfs takes no files, whoever asks.
  await symlink('/sys', join(path, 'tables'))
  await expect(directory.writeTable(KEY, 'one', null)).rejects.toMatchObject({
    code: 'denied',
    message: expect.stringContaining('tables/default.voice.json'),
  })
})

test('a write that fails in the middle leaves the old file and no other', async () => {
  await directory.writeTable(KEY, 'one', null)
  await rm(join(path, 'tables/default.voice.json'))
  await mkdir(join(path, 'tables/default.voice.json'))
  await expect(directory.writeStatus(KEY, STATUS)).resolves.toBeUndefined()
  await expect(directory.writeTable(KEY, 'two', null)).rejects.toMatchObject({
    code: 'unavailable',
  })
  expect(await readdir(join(path, 'tables'))).toEqual(['default.voice.json'])
  expect(await readFile(join(path, 'status/default.voice.json'), 'utf8')).toContain('0/0')
})

test('a directory has one operator at a time', async () => {
  const lock = await lockDirectory(path)
  expect(lock).not.toBeNull()
  expect(await lockDirectory(`${path}/.`)).toBeNull()
  await new Promise((resolve) => lock?.close(resolve))
  const again = await lockDirectory(path)
  expect(again).not.toBeNull()
  again?.close()
})
