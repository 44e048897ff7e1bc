/** The example's pool as tests want it: whom it consists of, and its SipProxy changed for a while. */
import { applyExample, EXAMPLE } from '@sipcast/lab'
import { Cluster } from './cluster.ts'

export const PROXIES = ['registrar-0', 'registrar-1', 'registrar-2'] as const
/** So that nobody waits for users to come back. */
export const QUICK_HAND_BACK = { after: '1s', maxMovedPercent: 50, per: '1s' }

/** Merged into the spec; null takes a field back to its default. */
export async function patchSipProxy({ kubectl }: Cluster, spec: object): Promise<void> {
  const patch = JSON.stringify({ spec })
  const where = ['sipproxy', EXAMPLE.sipProxy, '-n', EXAMPLE.namespace]
  await kubectl.run('patch', ...where, '--type=merge', '-p', patch)
}

/** On more than one node: after nodes were drained, all may be on one, as Kubernetes moves none back. */
export async function spreadExample(): Promise<void> {
  const cluster = await Cluster.take()
  const { kubectl } = cluster
  await applyExample(kubectl)
  const pods = await cluster.pods('app=registrar', EXAMPLE.namespace)
  const [node = '', ...others] = new Set(pods.map(({ spec }) => spec.nodeName ?? ''))
  if (others.length === 0) {
    await kubectl.run('cordon', node)
    try {
      const where = ['-n', EXAMPLE.namespace]
      await kubectl.run('delete', 'pod', pods[0]!.metadata.name, ...where)
      await kubectl.run('rollout', 'status', 'statefulset/registrar', ...where, '--timeout=180s')
    } finally {
      await kubectl.run('uncordon', node)
    }
  }
  await cluster.close()
}
