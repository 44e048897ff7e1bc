/**
 * The balancer's ports to the outside, one suite over both of their skins: a directory, and an API server (the
 * fake one). Not here: what only one of them can suffer (dataplane/io/directory.test.ts, and below), what a
 * balancer makes of it all (test/integration/balancer-on-kubernetes.test.ts).
 */
import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type SipBalancerStatus, sipBalancerStatusSchema } from '@sipcast/crds'
import { ApiServer, paths } from '@sipcast/kube'
import { eventually, FakeApiServer, LabDirectory } from '@sipcast/lab'
import { TABLE_LENGTH_MAX } from '@sipcast/mapping'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Directory } from '../../dataplane/io/directory.ts'
import { watchFolders } from '../../dataplane/io/directory-watch.ts'
import { KeysFile } from '../../dataplane/io/keys-file.ts'
import { ClusterTables } from '../../dataplane/io/kubernetes/cluster-tables.ts'
import { SecretKeys } from '../../dataplane/io/kubernetes/secret-keys.ts'
import { SipBalancerReports } from '../../dataplane/io/kubernetes/sip-balancer-reports.ts'
import { systemClock } from '../../dataplane/io/system-clock.ts'
import { TEXTS_LENGTH_MAX } from '../../dataplane/limits.ts'
import type { KeySource, ReportSink, TableSource } from '../../dataplane/ports.ts'

const NAMESPACE = 'sipcast-system'
const NAME = 'node-a'
const ID = 'default.registrars'

interface Skin {
  readonly tables: TableSource
  readonly keys: KeySource
  readonly reports: ReportSink
  /** How often something was said to have changed. */
  readonly changes: () => number
  publish(id: string, text: string): Promise<void>
  withdraw(id: string): Promise<void>
  writeKeys(text: string): Promise<void>
  report(): Promise<SipBalancerStatus | null>
  end(): Promise<void>
}

async function directorySkin(): Promise<Skin> {
  const lab = await LabDirectory.create()
  const directory = new Directory(lab.path, NAME)
  const fileOf = (id: string): string => join(directory.tablesPath, `${id}.json`)
  await mkdir(directory.tablesPath)
  let changes = 0
  const unwatch = watchFolders([lab.path, directory.tablesPath], () => changes++)
  return {
    tables: directory,
    keys: directory,
    reports: directory,
    changes: () => changes,
    publish: async (id, text) => {
      await writeFile(`${fileOf(id)}.new`, text)
      await rename(`${fileOf(id)}.new`, fileOf(id))
    },
    withdraw: (id) => rm(fileOf(id)),
    writeKeys: (text) => writeFile(join(lab.path, 'keys.json'), text),
    report: () => lab.balancer(NAME),
    end: async () => {
      unwatch()
      await lab.remove()
    },
  }
}

async function clusterSkin(): Promise<Skin> {
  const server = await FakeApiServer.start()
  const api = new ApiServer({ access: server.access })
  const clock = {
    nowMs: () => systemClock.monotonicMs(),
    setTimer: (delayMs: number, callback: () => void) => systemClock.after(delayMs, callback),
  }
  const options = { api, clock, random: Math.random, namespace: NAMESPACE, name: NAME }
  const tables = new ClusterTables(options)
  const keys = new SecretKeys(options)
  const reports = new SipBalancerReports(options)
  let changes = 0
  const ends = [tables, keys, reports].map((part) => part.follow(() => changes++))
  await eventually('lists', async () => {
    return (await tables.list()) !== null && (await keys.readKeys()) !== undefined
  })
  return {
    tables,
    keys,
    reports,
    changes: () => changes,
    publish: async (id, text) => putTable(server, id, text),
    withdraw: async (id) => server.take(paths.configMap(NAMESPACE, `sipcast-table-${id}`)),
    writeKeys: async (text) => {
      const data = { 'keys.json': Buffer.from(text).toString('base64') }
      const metadata = { name: 'sipcast-keys' }
      server.put(paths.secret(NAMESPACE, metadata.name), { metadata, data })
    },
    report: async () => {
      const object = await api.get(paths.sipBalancer(NAME))
      return sipBalancerStatusSchema.safeParse(object?.['status']).data ?? null
    },
    end: async () => {
      for (const end of ends) end()
      api.close()
      await server.goAway()
    },
  }
}

function putTable(server: FakeApiServer, id: string, text: string): void {
  const metadata = { name: `sipcast-table-${id}`, labels: { 'sipcast.io/table': '1' } }
  server.put(paths.configMap(NAMESPACE, metadata.name), { metadata, data: { 'table.json': text } })
}

const skins = [
  ['a directory', directorySkin],
  ['an API server', clusterSkin],
] as const

describe.each(skins)('%s', (_, makeSkin) => {
  let skin: Skin
  beforeEach(async () => {
    skin = await makeSkin()
  })
  afterEach(() => skin.end())

  async function ids(): Promise<readonly string[]> {
    return ((await skin.tables.list()) ?? []).map(({ id }) => id).toSorted()
  }

  async function untilListed(...wanted: readonly string[]): Promise<void> {
    await eventually(wanted.join(), async () => (await ids()).join() === wanted.join())
  }

  /** Reads until it is there. */
  async function textOf(id: string): Promise<string | null> {
    const read = async () => [await skin.tables.read(id)] as const
    const [text] = await eventually(`the text of ${id}`, async () => {
      const [found] = await read()
      return found !== undefined && ([found] as const)
    })
    return text
  }

  test('lists no table before there is one, and tells when there is', async () => {
    expect(await ids()).toEqual([])
    const before = skin.changes()
    await skin.publish(ID, 'one')
    await untilListed(ID)
    await eventually('a change', () => skin.changes() > before)
    expect(await textOf(ID)).toBe('one')
    expect(skin.tables.staleness()).toBeNull()
  })

  test('a table has another version when, and only when, it is another', async () => {
    await skin.publish(ID, 'one')
    await untilListed(ID)
    await sleep(100)
    const version = async () => (await skin.tables.list())?.[0]?.version
    const first = await version()
    expect(await version()).toBe(first)
    await skin.publish(ID, 'two')
    await eventually('another version', async () => (await version()) !== first)
    expect(await textOf(ID)).toBe('two')
  })

  test('a text can be read as often as one likes', async () => {
    await skin.publish(ID, 'one')
    await untilListed(ID)
    for (let time = 0; time < 3; time++) expect(await textOf(ID)).toBe('one')
  })

  test('a table that is gone is listed no more, and has no text', async () => {
    await skin.publish(ID, 'one')
    await skin.publish('default.trunks', 'two')
    await untilListed(ID, 'default.trunks')
    await skin.withdraw(ID)
    await untilListed('default.trunks')
    expect(await skin.tables.read(ID)).toBeUndefined()
  })

  test('a text that is too long is not read', async () => {
    await skin.publish(ID, 'x'.repeat(TABLE_LENGTH_MAX + 1))
    await untilListed(ID)
    expect(await textOf(ID)).toBeNull()
  })

  test('many large texts are all read', async () => {
    const length = 300_000
    const count = Math.ceil(TEXTS_LENGTH_MAX / length) + 10
    const wanted = Array.from({ length: count }, (_unused, index) => {
      return `default.p${String(index).padStart(2, '0')}`
    })
    for (const id of wanted) await skin.publish(id, id.padEnd(length, 'x'))
    await untilListed(...wanted)
    for (const id of wanted) expect((await textOf(id))?.startsWith(`${id}xx`)).toBe(true)
  })

  test('keys may be missing, come and change', async () => {
    expect(await skin.keys.readKeys()).toBeNull()
    for (const text of ['{"keys":1}', '{"keys":2}']) {
      await skin.writeKeys(text)
      await eventually(text, async () => (await skin.keys.readKeys()) === text)
    }
  })

  test('a report replaces the one before whole', async () => {
    await skin.reports.write({ ...REPORT, version: '1', acceptedKeyIds: [1, 2] })
    await skin.reports.write({ ...REPORT, version: '2' })
    expect(await skin.report()).toEqual({ ...REPORT, version: '2' })
    expect(skin.reports.isGone).toBe(false)
    expect(skin.reports.isMaintenanceWanted).toBe(false)
  })
})

describe('an API server, besides', () => {
  let server: FakeApiServer
  let api: ApiServer
  let reports: SipBalancerReports
  let unfollow: () => void

  beforeEach(async () => {
    server = await FakeApiServer.start()
    api = new ApiServer({ access: server.access, timeoutMs: 300 })
    const clock = { nowMs: () => performance.now(), setTimer: systemClock.after.bind(systemClock) }
    reports = new SipBalancerReports({ api, clock, random: Math.random, name: NAME })
    unfollow = reports.follow(() => undefined)
  })

  afterEach(async () => {
    unfollow()
    api.close()
    await server.goAway()
  })

  const path = paths.sipBalancer(NAME)

  test('a SipBalancer is owned by its Node, or by nobody where there is none or it is not to be seen', async () => {
    await reports.write(REPORT)
    expect((await api.get(path))?.metadata.ownerReferences ?? []).toEqual([])
    server.take(path)
    const node = server.put(paths.node(NAME), { metadata: { name: NAME } })
    await eventually('the loss', () => reports.isGone)
    const stopDenying = server.inject({
      effect: { kind: 'refusal', status: 403, reason: 'Forbidden' },
      resource: 'nodes',
    })
    await reports.write(REPORT)
    expect((await api.get(path))?.metadata.ownerReferences ?? []).toEqual([])
    stopDenying()
    server.take(path)
    await eventually('the loss', () => reports.isGone)
    await reports.write(REPORT)
    expect((await api.get(path))?.metadata.ownerReferences).toEqual([
      { apiVersion: 'v1', kind: 'Node', name: NAME, uid: node.metadata.uid },
    ])
  })

  test('orders of people are heard and left alone', async () => {
    await reports.write(REPORT)
    await api.patch(path, { spec: { maintenance: true } })
    await eventually('maintenance', () => reports.isMaintenanceWanted === true)
    await reports.write({ ...REPORT, maintenance: true })
    expect(await api.get(path)).toMatchObject({
      spec: { maintenance: true },
      status: { maintenance: true },
    })
  })

  test('a conflict is tried again at once; what is refused fails with its code', async () => {
    await reports.write(REPORT)
    const apply = { verbs: ['apply'] as const, resource: 'sipbalancers' }
    server.inject({
      ...apply,
      effect: { kind: 'refusal', status: 409, reason: 'Conflict' },
      times: 1,
    })
    await reports.write({ ...REPORT, version: '2' })
    expect(await api.get(path)).toMatchObject({ status: { version: '2' } })
    const cases = [
      [{ kind: 'refusal', status: 403 }, 'denied'],
      [{ kind: 'refusal', status: 500 }, 'unavailable'],
      [{ kind: 'reset' }, 'unavailable'],
      [{ kind: 'silence' }, 'unavailable'],
    ] as const
    for (const [effect, code] of cases) {
      const end = server.inject({ ...apply, effect })
      await expect(reports.write(REPORT)).rejects.toMatchObject({ name: 'StoreError', code })
      end()
    }
    await reports.write(REPORT)
  })

  test('a throttled report waits as long as it was told to', async () => {
    await reports.write(REPORT)
    const effect = { kind: 'refusal', status: 429, retryAfterSeconds: 1 } as const
    server.inject({ effect, resource: 'sipbalancers', verbs: ['apply'], times: 1 })
    await expect(reports.write(REPORT)).rejects.toMatchObject({ name: 'StoreError' })
    const before = server.seen.length
    await expect(reports.write(REPORT)).rejects.toMatchObject({ code: 'unavailable' })
    expect(server.seen.slice(before).filter(({ verb }) => verb === 'apply')).toEqual([])
    await sleep(1_100)
    await reports.write(REPORT)
  })

  test('tables are unknown, not absent, until the first list; old ones stay while nobody answers', async () => {
    await server.goAway()
    const clock = { nowMs: () => performance.now(), setTimer: systemClock.after.bind(systemClock) }
    const tables = new ClusterTables({ api, clock, random: Math.random, namespace: NAMESPACE })
    const end = tables.follow(() => undefined)
    await eventually('trouble', () => tables.staleness())
    expect(await tables.list()).toBeNull()
    await server.comeBack()
    putTable(server, ID, 'one')
    await eventually('the list', async () => (await tables.list())?.length === 1)
    expect(await tables.read(ID)).toBe('one')
    await server.goAway()
    await eventually('trouble', () => tables.staleness())
    expect(await tables.list()).toHaveLength(1)
    expect(await tables.read(ID)).toBeUndefined()
    await server.comeBack()
    await eventually('the text', async () => (await tables.read(ID)) === 'one')
    await eventually('peace', () => tables.staleness() === null)
    end()
  })

  test('texts of a list that was refused are in nobody’s way', async () => {
    const length = 300_000
    const ids = Array.from({ length: Math.ceil(TEXTS_LENGTH_MAX / length) + 2 }, (_, index) => {
      return `default.p${index}`
    })
    for (const id of ids) putTable(server, id, 'old'.padEnd(length, 'x'))
    const clock = { nowMs: () => performance.now(), setTimer: systemClock.after.bind(systemClock) }
    const tables = new ClusterTables({ api, clock, random: Math.random, namespace: NAMESPACE })
    const end = tables.follow(() => undefined)
    const allAre = async (beginning: string): Promise<void> => {
      for (const id of ids) {
        await eventually(`${beginning} of ${id}`, async () => {
          return (await tables.read(id))?.startsWith(beginning) === true
        })
      }
    }
    await eventually('the list', async () => (await tables.list())?.length === ids.length)
    await allAre('old')
    const current = server.inject({ effect: { kind: 'staleLists' }, verbs: ['list'] })
    const versions = async () => (await tables.list())?.map(({ version }) => version) ?? []
    const before = new Set(await versions())
    for (const id of ids) putTable(server, id, 'new'.padEnd(length, 'x'))
    await eventually('news', async () => new Set(await versions()).isDisjointFrom(before))
    await allAre('new')
    server.expire()
    await eventually('a refused list', () => {
      return tables.staleness()?.message.includes('older than') === true
    })
    current()
    await eventually('peace', () => tables.staleness() === null)
    putTable(server, ID, 'late'.padEnd(length, 'x'))
    await eventually('the list', async () => (await tables.list())?.length === ids.length + 1)
    await eventually('its text', async () => (await tables.read(ID))?.startsWith('late') === true)
    end()
  })

  test('a text that is gone though it is listed is not asked for without end', async () => {
    putTable(server, ID, 'one')
    const clock = { nowMs: () => performance.now(), setTimer: systemClock.after.bind(systemClock) }
    const tables = new ClusterTables({ api, clock, random: Math.random, namespace: NAMESPACE })
    let changes = 0
    const end = tables.follow(() => changes++)
    // The list brings the text: nothing that was asked for is still on its way.
    await eventually('the list', async () => (await tables.list())?.length === 1)
    expect(await tables.read(ID)).toBe('one')
    await eventually('both watches', () => server.watchCount === 2)
    server.eachWatch((feed) => feed.silence())
    server.take(paths.configMap(NAMESPACE, `sipcast-table-${ID}`))
    const before = changes
    expect(await tables.read(ID)).toBeUndefined()
    await sleep(300)
    expect(changes).toBe(before)
    end()
  })

  test('objects that are not named like tables are none', async () => {
    for (const id of ['registrars', '.registrars', '']) putTable(server, id, '{}')
    const clock = { nowMs: () => performance.now(), setTimer: systemClock.after.bind(systemClock) }
    const tables = new ClusterTables({ api, clock, random: Math.random, namespace: NAMESPACE })
    const end = tables.follow(() => undefined)
    await eventually('a list', async () => (await tables.list()) !== null)
    expect(await tables.list()).toEqual([])
    end()
  })
})

test('keys of a mounted Secret are read anew when kubelet swaps its link', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sipcast-keys-'))
  const mount = async (revision: string, text: string): Promise<void> => {
    await mkdir(join(folder, revision))
    await writeFile(join(folder, revision, 'keys.json'), text)
    await symlink(revision, join(folder, '..data_tmp'))
    await rename(join(folder, '..data_tmp'), join(folder, '..data'))
  }
  await mount('..2026_01', 'one')
  await symlink('..data/keys.json', join(folder, 'keys.json'))
  const keys = new KeysFile(join(folder, 'keys.json'))
  let changes = 0
  const end = keys.follow(() => changes++)
  expect(await keys.readKeys()).toBe('one')
  const before = changes
  await mount('..2026_02', 'two')
  await eventually('a change', () => changes > before)
  expect(await keys.readKeys()).toBe('two')
  end()
  await rm(folder, { recursive: true })
})

const REPORT: SipBalancerStatus = {
  name: NAME,
  heartbeatAt: '2026-01-01T00:00:00.000Z',
  version: '1',
  sipProxies: [],
  acceptedKeyIds: [],
}
