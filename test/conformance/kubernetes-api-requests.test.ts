/** Single requests to an API server that misbehaves: which error they end in, how soon, and what is tried twice. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type Access,
  ApiError,
  ApiServer,
  inClusterAccess,
  kubeconfigAccess,
  paths,
  type RequestReport,
} from '@sipcast/kube'
import { FakeApiServer } from '@sipcast/lab'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createConfigMap, failure, namespace } from './kubernetes-api/skin.ts'

const configMap = paths.configMap(namespace, 'a')

let fake: FakeApiServer
let api: ApiServer
let reports: RequestReport[]

beforeEach(async () => {
  fake = await FakeApiServer.start()
  reports = []
  api = new ApiServer({
    access: fake.access,
    timeoutMs: 1_500,
    onRequest: (report) => void reports.push(report),
  })
})

afterEach(async () => {
  api.close()
  await fake.goAway()
})

describe('errors', () => {
  it.each([
    [400, 'BadRequest', 'invalid', false],
    [401, 'Unauthorized', 'denied', false],
    [403, 'Forbidden', 'denied', false],
    [404, 'NotFound', 'notFound', false],
    [409, 'Conflict', 'conflict', false],
    [409, 'AlreadyExists', 'exists', false],
    [410, 'Expired', 'gone', false],
    [413, 'RequestEntityTooLarge', 'tooLarge', false],
    [415, 'UnsupportedMediaType', 'invalid', false],
    [422, 'Invalid', 'invalid', false],
    [429, 'TooManyRequests', 'throttled', true],
    [500, 'InternalError', 'unavailable', true],
    [503, 'ServiceUnavailable', 'unavailable', true],
    [504, 'Timeout', 'unavailable', true],
  ])('%i %s is %s', async (status, reason, code, isTransient) => {
    fake.inject({ effect: { kind: 'refusal', status, reason } })
    const error = await failure(createConfigMap(api, 'a'))
    expect(error).toBeInstanceOf(ApiError)
    expect(error).toMatchObject({ code, status, reason, isTransient, retryAfterMs: null })
    expect(error.message).toContain(reason)
    expect(reports).toMatchObject([{ verb: 'create', resource: 'configmaps', code: `${status}` }])
  })

  it('say how long a throttled client is to wait', async () => {
    fake.inject({ effect: { kind: 'refusal', status: 429, retryAfterSeconds: 7 } })
    expect(await failure(api.get(configMap))).toMatchObject({
      code: 'throttled',
      retryAfterMs: 7_000,
    })
  })

  it.each(['reset', 'hangUp', 'garbage'] as const)('are transient after a %s', async (kind) => {
    fake.inject({ effect: { kind } })
    const error = await failure(createConfigMap(api, 'a'))
    expect(error).toMatchObject({ code: 'unavailable', status: null, isTransient: true })
  })

  it('come in time where nothing else comes', async () => {
    fake.inject({ effect: { kind: 'silence' } })
    const startMs = performance.now()
    const error = await failure(api.replace(configMap, { metadata: { name: 'a' } }))
    expect(error).toMatchObject({ code: 'unavailable', reason: 'Timeout', status: null })
    expect(performance.now() - startMs).toBeLessThan(1_800)
    expect(reports.map(({ code }) => code)).toEqual(['none'])
  })

  it('come at once when nobody listens, and nothing is wrong once somebody does', async () => {
    await fake.goAway()
    const error = await failure(api.get(configMap))
    expect(error).toMatchObject({ code: 'unavailable', reason: 'ECONNREFUSED' })
    await fake.comeBack()
    expect(await api.get(configMap)).toBeNull()
  })

  it('come soon after the return of a server that had swallowed a write', async () => {
    const patient = new ApiServer({ access: fake.access })
    const end = fake.inject({ effect: { kind: 'silence' } })
    const error = failure(patient.replace(configMap, { metadata: { name: 'a' } }))
    // Long enough to be noticed.
    await new Promise((resolve) => setTimeout(resolve, 3_000))
    end()
    const backMs = performance.now()
    expect(await error).toMatchObject({ code: 'unavailable', reason: 'Renewed', isTransient: true })
    expect(performance.now() - backMs).toBeLessThan(2_000)
    patient.close()
  })

  it('do not hide that a write may have been carried out', async () => {
    fake.inject({ verbs: ['create'], effect: { kind: 'lostAnswer' } })
    expect(await failure(createConfigMap(api, 'a'))).toMatchObject({ reason: 'Timeout' })
    expect(await api.get(configMap)).not.toBeNull()
  })

  it('end requests that are called off', async () => {
    fake.inject({ effect: { kind: 'silence' } })
    const signal = AbortSignal.timeout(100)
    const startMs = performance.now()
    await expect(api.get(configMap, {}, { signal })).rejects.toThrow()
    expect(performance.now() - startMs).toBeLessThan(500)
  })
})

describe('what is tried twice', () => {
  it('a read that was swallowed in a short lapse', async () => {
    await createConfigMap(api, 'a')
    fake.inject({ verbs: ['get'], effect: { kind: 'silence' }, times: 1 })
    const startMs = performance.now()
    expect(await api.get(configMap)).not.toBeNull()
    expect(performance.now() - startMs).toBeLessThan(1_300)
  })

  it('a read of a slow server, which is then waited for', async () => {
    await createConfigMap(api, 'a')
    fake.inject({ verbs: ['get'], effect: { kind: 'delay', ms: 1_300 } })
    expect(await api.get(configMap)).not.toBeNull()
    expect(fake.seen.filter(({ verb }) => verb === 'get')).toHaveLength(2)
  })

  it('never a write that was swallowed', async () => {
    fake.inject({ effect: { kind: 'silence' }, times: 1 })
    expect(await failure(api.patch(configMap, {}))).toMatchObject({ reason: 'Timeout' })
    expect(fake.seen).toHaveLength(1)
  })

  it('what an idle connection that the server had closed spoilt', async () => {
    const made = await createConfigMap(api, 'a')
    await fake.goAway()
    await fake.comeBack()
    expect(await api.replace(configMap, made)).toEqual(made)
    await fake.goAway()
    await fake.comeBack()
    expect(await api.get(configMap)).toEqual(made)
  })
})

describe('credentials', () => {
  const environment = { KUBERNETES_SERVICE_HOST: '10.0.0.1', KUBERNETES_SERVICE_PORT: '443' }
  let directory: string
  let nowMs: number

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'sipcast-account-'))
    nowMs = 0
    await writeFile(join(directory, 'ca.crt'), 'no certificate is looked at here')
    await writeFile(join(directory, 'token'), 'first\n')
  })
  afterEach(() => rm(directory, { recursive: true }))

  /** The pod's files, but the fake server's address. */
  async function open(): Promise<ApiServer> {
    const inCluster = await inClusterAccess({ environment, directory, nowMs: () => nowMs })
    const access: Access = { ...inCluster, server: fake.url, tls: {} }
    return new ApiServer({ access })
  }

  it('are read again when they have been refused', async () => {
    fake.tokens = ['first']
    const mine = await open()
    expect(await mine.get(configMap)).toBeNull()
    fake.tokens = ['second']
    await writeFile(join(directory, 'token'), 'second\n')
    expect(await mine.get(configMap)).toBeNull()
    expect(await createConfigMap(mine, 'a')).toMatchObject({ metadata: { name: 'a' } })
    mine.close()
  })

  it('are read again after a while, and kept where they cannot be', async () => {
    fake.tokens = ['first', 'second']
    const mine = await open()
    await writeFile(join(directory, 'token'), 'second\n')
    nowMs += 61_000
    expect(await mine.get(configMap)).toBeNull()
    fake.tokens = ['second']
    await rm(join(directory, 'token'))
    nowMs += 61_000
    expect(await mine.get(configMap)).toBeNull()
    mine.close()
  })

  it('that stay refused are an error', async () => {
    fake.tokens = ['another']
    const mine = await open()
    expect(await failure(mine.get(configMap))).toMatchObject({ code: 'denied', status: 401 })
    mine.close()
  })

  it('come from a kubeconfig too', async () => {
    fake.tokens = ['from the file']
    const path = join(directory, 'kubeconfig')
    await writeFile(path, fake.kubeconfig)
    const mine = new ApiServer({ access: await kubeconfigAccess(path) })
    expect(await mine.get(configMap)).toBeNull()
    mine.close()
  })
})

describe('reports', () => {
  it('name verb, resource and outcome, never an object', async () => {
    const made = await createConfigMap(api, 'a')
    await api.get(configMap)
    await api.get(paths.configMap(namespace, 'b'))
    await api.list(paths.configMaps(namespace))
    await api.replace(configMap, made)
    await api.patch(paths.podStatus(namespace, 'p'), {}).catch(() => {})
    await api.delete(configMap)
    expect(reports.map(({ verb, resource, code }) => `${verb} ${resource} ${code}`)).toEqual([
      'create configmaps 2xx',
      'get configmaps 2xx',
      'get configmaps 404',
      'list configmaps 2xx',
      'replace configmaps 2xx',
      'patch pods/status 404',
      'delete configmaps 2xx',
    ])
    expect(reports.every(({ seconds }) => seconds > 0 && seconds < 1)).toBe(true)
  })

  it('keep to a few connections, however many requests there are', async () => {
    await Promise.all(Array.from({ length: 200 }, () => api.get(configMap)))
    expect(fake.connectionCount).toBeLessThanOrEqual(16)
  })
})
