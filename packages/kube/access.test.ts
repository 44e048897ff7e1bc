import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { inClusterAccess, KubeConfigError } from './access.ts'
import { kubeconfigAccess } from './mod.ts'

const environment = { KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '6443' }
let directory: string

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sipcast-access-'))
})
afterEach(() => rm(directory, { recursive: true }))

it('is what kubelet puts into a pod', async () => {
  await writeFile(join(directory, 'ca.crt'), 'the CA')
  await writeFile(join(directory, 'token'), 'the token\n')
  const access = await inClusterAccess({ environment, directory })
  expect(access.server).toBe('https://[fd00::1]:6443')
  expect(access.tls).toEqual({ ca: 'the CA' })
  expect(await access.headers()).toEqual({ authorization: 'Bearer the token' })
})

it('says in one sentence what is missing', async () => {
  const outside = inClusterAccess({ environment: {}, directory })
  await expect(outside).rejects.toThrow(/^not in a pod: KUBERNETES_SERVICE_HOST/)
  await expect(outside).rejects.toBeInstanceOf(KubeConfigError)
  const without = inClusterAccess({ environment, directory })
  await expect(without).rejects.toThrow(
    /^the pod's service account cannot be read: ENOENT.*ca\.crt/,
  )
})

it('is what a kubeconfig says, with its certificates', async () => {
  const path = join(directory, 'kubeconfig')
  const base64 = (text: string) => Buffer.from(text).toString('base64')
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      {
        name: 'c',
        cluster: {
          server: 'https://api.example:6443/prefix/',
          'certificate-authority-data': base64('ca'),
          'tls-server-name': 'inside',
        },
      },
    ],
    users: [{ name: 'u', user: { token: 'mine' } }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'x',
  }
  await writeFile(path, JSON.stringify(config))
  const access = await kubeconfigAccess(path)
  expect(access.server).toBe('https://api.example:6443/prefix')
  expect(access.tls).toEqual({ ca: Buffer.from('ca'), servername: 'inside' })
  expect(await access.headers()).toEqual({ authorization: 'Bearer mine' })
})

it('tells a kubeconfig that is not there from one that says nothing', async () => {
  const path = join(directory, 'kubeconfig')
  await expect(kubeconfigAccess(path)).rejects.toThrow(/cannot be read: ENOENT/)
  await writeFile(path, 'clusters: []\n')
  await expect(kubeconfigAccess(path)).rejects.toThrow(/has no current context|cannot be read/)
})
