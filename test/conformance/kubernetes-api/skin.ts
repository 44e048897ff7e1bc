/** The two API servers under test, each with a namespace and a kind of its own to play with. */
import { type ApiError, type ApiObject, ApiServer, kubeconfigAccess, paths } from '@sipcast/kube'
import { FakeApiServer, type ResourceKind } from '@sipcast/lab'
import { vi } from 'vitest'

// Of this run alone: a real server takes its time to delete what an earlier one left.
export const namespace = `sipcast-conformance-${process.pid}`

export const group = `run${process.pid}.conformance.sipcast.io`
/** A kind with status apart and generations. */
export const widgets = `/apis/${group}/v1/namespaces/${namespace}/widgets`
const widgetKind: ResourceKind = {
  group,
  version: 'v1',
  resource: 'widgets',
  kind: 'Widget',
  isNamespaced: true,
  hasStatus: true,
  hasGeneration: true,
}

export interface Skin {
  readonly api: ApiServer
  close(): Promise<void>
}

export async function openFake(): Promise<Skin> {
  const fake = await FakeApiServer.start({ kinds: [widgetKind], bookmarkMs: 300 })
  const api = new ApiServer({ access: fake.access })
  return {
    api,
    async close() {
      api.close()
      await fake.goAway()
    },
  }
}

const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'

export async function openReal(path: string): Promise<Skin> {
  const api = new ApiServer({ access: await kubeconfigAccess(path) })
  const manager = { fieldManager: 'conformance' }
  await api.apply(`/api/v1/namespaces/${namespace}`, namespaceObject, manager)
  await api.apply(`${definitions}/widgets.${group}`, widgetDefinition, manager)
  // A new kind is served a moment after it is defined.
  await vi.waitFor(() => api.list(widgets), { timeout: 10_000 })
  return {
    api,
    async close() {
      await api.delete(`/api/v1/namespaces/${namespace}`)
      await api.delete(`${definitions}/widgets.${group}`)
      api.close()
    },
  }
}

let serial = 0

/** A name that no test used before, in this run or another. */
export function freshName(): string {
  serial += 1
  return `c${process.pid}-${serial}`
}

export function configMapAt(name: string): string {
  return paths.configMap(namespace, name)
}

export function createConfigMap(
  api: ApiServer,
  name: string,
  data: object = {},
  labels: Record<string, string> = {},
): Promise<ApiObject> {
  return api.create(paths.configMaps(namespace), { metadata: { name, labels }, data })
}

/** The error that a request fails with. */
export async function failure(request: Promise<unknown>): Promise<ApiError> {
  return request.then(
    (result) => {
      throw new Error(`it succeeded: ${JSON.stringify(result).slice(0, 200)}`)
    },
    (error: ApiError) => error,
  )
}

const namespaceObject = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } }

const conditions = {
  type: 'array',
  items: {
    type: 'object',
    properties: { type: { type: 'string' }, status: { type: 'string' } },
    required: ['type'],
  },
  'x-kubernetes-list-type': 'map',
  'x-kubernetes-list-map-keys': ['type'],
}

const widgetDefinition = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `widgets.${group}` },
  spec: {
    group,
    scope: 'Namespaced',
    names: { kind: 'Widget', plural: 'widgets', singular: 'widget' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        subresources: { status: {} },
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: {
              spec: { type: 'object', properties: { size: { type: 'integer' } } },
              status: {
                type: 'object',
                properties: { seen: { type: 'integer' }, note: { type: 'string' }, conditions },
              },
            },
          },
        },
      },
    ],
  },
}
