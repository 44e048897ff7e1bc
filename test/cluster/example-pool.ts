/** The example's pool as tests want it: whom it consists of, and its SipProxy changed for a while. */
import { EXAMPLE } from '@sipcast/lab'
import type { Cluster } from './cluster.ts'

export const PROXIES = ['registrar-0', 'registrar-1', 'registrar-2'] as const
/** So that nobody waits for users to come back. */
export const QUICK_HAND_BACK = { after: '1s', maxMovedPercent: 50, per: '1s' }

/** Merged into the spec; null takes a field back to its default. */
export async function patchSipProxy({ kubectl }: Cluster, spec: object): Promise<void> {
  const patch = JSON.stringify({ spec })
  const where = ['sipproxy', EXAMPLE.sipProxy, '-n', EXAMPLE.namespace]
  await kubectl.run('patch', ...where, '--type=merge', '-p', patch)
}
