/**
 * A cluster without its control plane: API server, scheduler and controllers stand still with the node they are on, and
 * its connections stay open without an answer. Kubelets and pods go on. Invariant: it goes on when the work is done.
 */
import { runProgram } from '@sipcast/lab'
import type { Cluster } from './cluster.ts'

const BACK_PATIENCE_MS = 120_000

/** Resolves to the moment it was back (performance.now()). */
export async function withoutControlPlane(
  cluster: Cluster,
  work: () => Promise<void>,
): Promise<number> {
  const { kind, kubectl } = cluster
  const node = `${kind.name}-control-plane`
  await runProgram('docker', ['pause', node])
  try {
    await work()
  } finally {
    await runProgram('docker', ['unpause', node])
  }
  const isBack = async () =>
    await kubectl.run('get', '--raw=/readyz', '--request-timeout=2s').then(
      () => true,
      () => false,
    )
  await cluster.until('an API server', isBack, BACK_PATIENCE_MS)
  return performance.now()
}
