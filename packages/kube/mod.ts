/** The door of @sipcast/kube: requests to the API server, list-and-watch, lease. */
import type { Access } from './access.ts'

export {
  type Access,
  type InClusterOptions,
  inClusterAccess,
  KubeConfigError,
  type Tls,
} from './access.ts'
export { ApiError, ApiErrorCode, type ApiErrorOptions } from './api-error.ts'
export { type ApiObject, idOf, type ObjectMetadata, type OwnerReference } from './api-object.ts'
export {
  ApiServer,
  type ApiServerOptions,
  type ObjectList,
  type Query,
  type RequestOptions,
  type RequestReport,
  type Verb,
} from './api-server.ts'
export type { Clock } from './clock.ts'
export { LeaderLease, type LeaderLeaseOptions, type LeaseNotice } from './leader-lease.ts'
export { ListWatch, type ListWatchOptions, type WatchTrouble } from './list-watch.ts'
export { paths } from './paths.ts'
export type { WatchEvent } from './watch-stream.ts'

/** Access by a kubeconfig file. Loads client-node (80 MiB) the first time. @throws KubeConfigError */
export async function kubeconfigAccess(path: string): Promise<Access> {
  const { readKubeconfig } = await import('./kubeconfig.ts')
  return readKubeconfig(path)
}
