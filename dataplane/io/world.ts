/**
 * Where a balancer's tables and keys come from and its report goes: a directory, or a cluster. The cluster's
 * skin is loaded only where it is asked for: a balancer has little memory to give away. Not here: what is done
 * with them (`balancer.ts`).
 */

import { dirname } from 'node:path'
import type { BalancerConfig, SourceConfig } from '../config.ts'
import type { Ports } from '../ports.ts'
import { isDirectory } from './atomic-write.ts'
import { Directory } from './directory.ts'
import { watchFolders } from './directory-watch.ts'

/** A configuration of good form that cannot be served; the message says why. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError'
}

export interface World extends Pick<Ports, 'tables' | 'keys' | 'orders' | 'reports'> {
  /** Copies of tables are written only while this directory is there: see AtomicWrite. */
  readonly stateRoot: string
  /** Calls back when something may have changed, until the returned function ends it. */
  follow(changed: () => void): () => void
}

/** @throws RefusedError */
export async function openWorld(config: BalancerConfig): Promise<World> {
  const { source, name, stateDirectory } = config
  if (source.kind === 'directory') return await openDirectory(source, name)
  const { openCluster } = await import('./kubernetes/cluster.ts')
  return { ...(await openCluster(source, name)), stateRoot: dirname(stateDirectory) }
}

async function openDirectory(
  { path }: Extract<SourceConfig, { kind: 'directory' }>,
  name: string,
): Promise<World> {
  if (!(await isDirectory(path))) throw new RefusedError(`--directory ${path} is no directory`)
  const directory = new Directory(path, name)
  return {
    tables: directory,
    keys: directory,
    // The announcer reads the directory itself.
    orders: { orders: () => null, trouble: () => null },
    reports: directory,
    stateRoot: path,
    follow: (changed) => watchFolders([path, directory.tablesPath], changed),
  }
}
