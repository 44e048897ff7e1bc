/**
 * What befalls pods and nodes. Each resolves to the moment it happened (performance.now()), as near as it can be told:
 * what came before it (finding the processes, starting kubectl) is no part of a failover's time.
 * Not here: what follows from it.
 */
import { ApiServer, kubeconfigAccess, paths } from '@sipcast/kube'
import { EXAMPLE, type Pod, runProgram } from '@sipcast/lab'
import type { Cluster } from './cluster.ts'

/** By the API, as `kubectl delete pod` does; with `force` as with `--force --grace-period=0`. */
export async function deletePod(
  cluster: Cluster,
  { metadata }: Pod,
  { namespace = EXAMPLE.namespace, force = false }: { namespace?: string; force?: boolean } = {},
): Promise<number> {
  if (force) {
    const words = ['--force', '--grace-period=0', '--wait=false']
    await cluster.kubectl.run('delete', 'pod', metadata.name, '-n', namespace, ...words)
    return performance.now()
  }
  const api = new ApiServer({ access: await kubeconfigAccess(cluster.kubectl.kubeconfig!) })
  // The connection is made before the moment counts.
  await api.get(paths.pod(namespace, metadata.name))
  const atMs = performance.now()
  await api.delete(paths.pod(namespace, metadata.name))
  api.close()
  return atMs
}

/** A signal to every process of a pod's containers, or of those named; the pause container is not among them. */
export async function signalPod(
  { spec, status }: Pod,
  signal: 'KILL' | 'STOP' | 'CONT' | 'TERM',
  names: readonly string[] | null = null,
): Promise<number> {
  const ids = (status.containerStatuses ?? [])
    .filter(({ name }) => names === null || names.includes(name))
    .map(({ containerID = '' }) => containerID.replace(/^.*:\/\//, ''))
  if (ids.length === 0) throw new Error('the pod has no container yet')
  const patterns = ids.map((id) => `-e ${id}`).join(' ')
  // With the first process of a container, the others are killed at once: they may be gone already.
  const script = `
    pids=$(grep -ls ${patterns} /proc/[0-9]*/cgroup | cut -d/ -f3)
    [ -n "$pids" ] || exit 1
    date +%s%3N
    kill -${signal} $pids || true`
  const printed = await runProgram('docker', ['exec', spec.nodeName ?? '', 'sh', '-c', script])
  return Number(printed) - performance.timeOrigin
}
