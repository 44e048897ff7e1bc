/** The skins of the Cluster port, each with the hands that reach what it looks at. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { parseSipBalancerStatus } from '@sipcast/crds'
import { type ApiObject, ApiServer, paths } from '@sipcast/kube'
import { FakeApiServer } from '@sipcast/lab'
import { Directory } from '../../../operator/io/directory.ts'
import { KubernetesCluster } from '../../../operator/io/kubernetes/cluster.ts'
import { MemoryCluster } from '../../../operator/io/memory-cluster.ts'
import { systemClock, systemRandom } from '../../../operator/io/system-clock.ts'
import type { Key } from '../../../operator/ports.ts'
import type { Skin } from './trial.ts'

const NAMESPACE = 'sipcast-system'

export async function memorySkin(): Promise<Skin> {
  const cluster = new MemoryCluster()
  return {
    hands: {
      apply: async (key, spec) => cluster.apply(key, manifest(key, spec)),
      remove: async (key) => cluster.remove(key),
      meddleWithTable: async (key, text) => cluster.meddle(key, text),
      meddleWithKeys: async (text) => cluster.meddleWithKeys(text),
      report: async (name, status) => {
        const parsed = parseSipBalancerStatus(status)
        if (status === null) cluster.unreport(name)
        else if (parsed.ok) cluster.report({ name, status: parsed.status })
      },
    },
    open: async () => cluster,
    close: async () => cluster.unwatch(),
    end: async () => undefined,
  }
}

export async function directorySkin(): Promise<Skin> {
  const path = await mkdtemp(join(tmpdir(), 'sipcast-cluster-port-'))
  let directory: Directory | null = null
  const write = async (file: string, text: string | null) => {
    const place = join(path, file)
    await mkdir(dirname(place), { recursive: true })
    if (text === null) await rm(place)
    else await writeFile(place, text)
  }
  const fileOf = (key: Key) => key.replace('/', '.')
  return {
    hands: {
      apply: (key, spec) => write(`${fileOf(key)}.yaml`, JSON.stringify(manifest(key, spec))),
      remove: (key) => write(`${fileOf(key)}.yaml`, null),
      meddleWithTable: (key, text) => write(`tables/${fileOf(key)}.json`, text),
      meddleWithKeys: (text) => write('keys.json', text),
      report: (name, status) =>
        write(`balancers/${name}.json`, status === null ? null : JSON.stringify(status)),
    },
    open: async () => {
      directory = new Directory({ path, clock: systemClock, tell: () => undefined })
      await directory.start()
      return directory
    },
    close: async () => directory?.stop(),
    end: () => rm(path, { recursive: true, force: true }),
  }
}

export async function kubernetesSkin(): Promise<Skin> {
  const server = await FakeApiServer.start()
  const api = new ApiServer({ access: server.access })
  let cluster: KubernetesCluster | null = null
  const tableName = (key: Key) => `sipcast-table-${key.replace('/', '.')}`
  const replaceData = async (path: string, field: string, text: string | null) => {
    if (text === null) await api.delete(path)
    else await api.patch(path, { data: { [field]: text } })
  }
  return {
    hands: {
      apply: async (key, spec) => {
        const [namespace = '', name = ''] = key.split('/')
        const path = paths.sipProxy(namespace, name)
        await api.apply(path, manifest(key, spec), { fieldManager: 'kubectl' })
      },
      remove: async (key) => {
        const [namespace = '', name = ''] = key.split('/')
        await api.delete(paths.sipProxy(namespace, name))
      },
      meddleWithTable: (key, text) =>
        replaceData(paths.configMap(NAMESPACE, tableName(key)), 'table.json', text),
      meddleWithKeys: (text) => {
        const encoded = text === null ? null : Buffer.from(text).toString('base64')
        return replaceData(paths.secret(NAMESPACE, 'sipcast-keys'), 'keys.json', encoded)
      },
      report: async (name, status) => {
        const path = paths.sipBalancer(name)
        if (status === null) await api.delete(path)
        else server.put(path, balancer(name, status))
      },
    },
    open: async () => {
      cluster = new KubernetesCluster({
        api: new ApiServer({ access: server.access }),
        namespace: NAMESPACE,
        clock: systemClock,
        random: systemRandom,
        tell: () => undefined,
        mayWrite: () => true,
        onFailure: () => undefined,
      })
      await cluster.startStandby()
      await cluster.start(1)
      return cluster
    },
    close: async () => cluster?.stop(),
    end: async () => {
      api.close()
      await server.goAway()
    },
  }
}

function manifest(key: Key, spec: object): ApiObject {
  const [namespace = '', name = ''] = key.split('/')
  return {
    apiVersion: 'sipcast.io/v1alpha1',
    kind: 'SipProxy',
    metadata: { namespace, name },
    spec,
  }
}

function balancer(name: string, status: unknown): ApiObject {
  return { apiVersion: 'sipcast.io/v1alpha1', kind: 'SipBalancer', metadata: { name }, status }
}
