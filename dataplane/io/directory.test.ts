import { chmod, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { TABLE_LENGTH_MAX } from '@sipcast/mapping'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { KEYS_BYTES_MAX, RESCAN_MS } from '../limits.ts'
import { StoreErrorCode } from '../ports.ts'
import { Directory } from './directory.ts'
import { watchFolders } from './directory-watch.ts'
import { StateDirectory } from './state-directory.ts'

let path: string
let directory: Directory

beforeEach(async () => {
  path = await mkdtemp(join(tmpdir(), 'sipcast-directory-'))
  directory = new Directory(path, 'node-a')
})

afterEach(() => rm(path, { recursive: true, force: true }))

async function putTable(name: string, text: string): Promise<void> {
  await mkdir(directory.tablesPath, { recursive: true })
  await writeFile(join(directory.tablesPath, `.${name}`), text)
  await rename(join(directory.tablesPath, `.${name}`), join(directory.tablesPath, name))
}

describe('tables in a directory', () => {
  it('are none before the operator wrote any', async () => {
    expect(await directory.list()).toEqual([])
  })

  it('are listed by their names, without writes under way and foreign files', async () => {
    await putTable('default.b.json', 'B')
    await putTable('default.a.json', 'A')
    await writeFile(join(directory.tablesPath, '.writing-default.c.json'), 'C')
    await writeFile(join(directory.tablesPath, 'README'), '')
    const listings = await directory.list()
    expect(listings.map(({ id }) => id).toSorted()).toEqual(['default.a', 'default.b'])
    expect(await directory.read('default.a')).toBe('A')
    expect(await directory.read('default.none')).toBeUndefined()
  })

  it('have another version when they are replaced, or written in place at once after', async () => {
    const version = async () => (await directory.list())[0]!.version
    await putTable('default.a.json', 'one')
    await sleep(60)
    const first = await version()
    expect(await version()).toBe(first)
    await putTable('default.a.json', 'two')
    const second = await version()
    expect(second).not.toBe(first)
    await writeFile(join(directory.tablesPath, 'default.a.json'), 'six')
    await sleep(60)
    expect(await version()).not.toBe(second)
  })

  it('are not read if they are too large', async () => {
    await putTable('default.a.json', ' '.repeat(TABLE_LENGTH_MAX + 1))
    expect(await directory.read('default.a')).toBeNull()
  })

  it('are an error, not an empty list, if the directory is gone', async () => {
    await rm(path, { recursive: true })
    await expect(directory.list()).rejects.toMatchObject({ code: StoreErrorCode.absent })
  })
})

describe('keys and reports in a directory', () => {
  it('keys may be missing, or too large', async () => {
    expect(await directory.readKeys()).toBeNull()
    await writeFile(join(path, 'keys.json'), '{}')
    expect(await directory.readKeys()).toBe('{}')
    await writeFile(join(path, 'keys.json'), ' '.repeat(KEYS_BYTES_MAX + 1))
    await expect(directory.readKeys()).rejects.toMatchObject({ code: StoreErrorCode.unavailable })
  })

  it('the report is replaced whole', async () => {
    const report = {
      heartbeatAt: '2026-01-01T00:00:00.000Z',
      version: '1',
      sipProxies: [],
      acceptedKeyIds: [],
    }
    await directory.write(report)
    await directory.write({ ...report, version: '2' })
    expect(await readdir(join(path, 'balancers'))).toEqual(['node-a.json'])
    const text = await readFile(join(path, 'balancers', 'node-a.json'), 'utf8')
    expect(JSON.parse(text)).toMatchObject({ version: '2' })
  })

  it('a report that cannot be written leaves the old one and nothing else', async () => {
    await mkdir(join(path, 'balancers', 'node-a.json'), { recursive: true })
    const report = { heartbeatAt: '', version: '1', sipProxies: [], acceptedKeyIds: [] }
    await expect(directory.write(report)).rejects.toMatchObject({ name: 'StoreError' })
    expect(await readdir(join(path, 'balancers'))).toEqual(['node-a.json'])
  })
})

describe('last-good copies', () => {
  it('are none at the first start, and made with their folder', async () => {
    const state = new StateDirectory(join(path, 'state', 'node-a'), path)
    expect(await state.list()).toEqual([])
    await state.save('default.a', 'A')
    expect(await state.list()).toEqual(['default.a'])
    expect(await state.read('default.a')).toBe('A')
    await state.remove('default.a')
    await state.remove('default.a')
    expect(await state.list()).toEqual([])
  })

  it('fail with what is wrong where they cannot be written', async () => {
    await writeFile(join(path, 'file'), '')
    const state = new StateDirectory(join(path, 'file', 'state'), path)
    await expect(state.save('default.a', 'A')).rejects.toMatchObject({ name: 'StoreError' })
    const full = new StateDirectory('/proc/self', path)
    await expect(full.save('default.a', 'A')).rejects.toThrow(
      /^cannot write \/proc\/self\/default\.a\.json: E/,
    )
  })
})

it('nothing is written where the directory is gone: it may be mounted again', async () => {
  const state = new StateDirectory(join(path, 'state', 'node-a'), path)
  await rm(path, { recursive: true })
  await expect(state.save('default.a', 'A')).rejects.toMatchObject({ code: StoreErrorCode.absent })
  await expect(readdir(path)).rejects.toThrow('ENOENT')
})

describe('a watch', () => {
  async function changes(act: () => Promise<void>): Promise<number> {
    let count = 0
    const stop = watchFolders([path, directory.tablesPath], () => count++)
    await sleep(20)
    const before = count
    await act()
    await sleep(50)
    stop()
    return count - before
  }

  it('tells of new keys and of tables replaced', async () => {
    await mkdir(directory.tablesPath)
    expect(await changes(() => writeFile(join(path, 'keys.json'), '{}'))).toBeGreaterThan(0)
    expect(await changes(() => putTable('default.a.json', 'A'))).toBeGreaterThan(0)
  })

  it('finds a folder that comes later, or is replaced', async () => {
    let count = 0
    const stop = watchFolders([directory.tablesPath], () => count++)
    const act = async (action: () => Promise<unknown>, waitMs: number): Promise<number> => {
      const before = count
      await action()
      await sleep(waitMs)
      return count - before
    }
    const make = () => mkdir(directory.tablesPath)
    expect(await act(make, RESCAN_MS + 100)).toBeGreaterThan(0)
    await rm(directory.tablesPath, { recursive: true })
    expect(await act(make, RESCAN_MS + 100)).toBeGreaterThan(0)
    expect(await act(() => putTable('default.a.json', 'A'), 50)).toBeGreaterThan(0)
    stop()
  })
})

it('a folder without permission is an error, not an empty list', async () => {
  if (process.getuid?.() === 0) return
  await mkdir(directory.tablesPath)
  await chmod(directory.tablesPath, 0)
  await expect(directory.list()).rejects.toMatchObject({ code: StoreErrorCode.denied })
})
