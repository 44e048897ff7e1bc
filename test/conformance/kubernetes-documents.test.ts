/** Tables on Kubernetes when the watch lags behind what this process writes itself. */
import { ApiServer } from '@sipcast/kube'
import { FakeApiServer } from '@sipcast/lab'
import { expect, test, vi } from 'vitest'
import { KubernetesCluster } from '../../operator/io/kubernetes/cluster.ts'
import { systemClock, systemRandom } from '../../operator/io/system-clock.ts'
import type { Change } from '../../operator/ports.ts'

const KEY = 'default/voice'
/** SipProxies, SipBalancers, BgpPeers, pods, tables, keys. */
const WATCHES = 6
const PATIENCE = { timeout: 10_000 }

test('what we wrote and deleted is no news when the watch brings it afterwards', async () => {
  const server = await FakeApiServer.start()
  const cluster = new KubernetesCluster({
    api: new ApiServer({ access: server.access }),
    namespace: 'sipcast-system',
    clock: systemClock,
    random: systemRandom,
    tell: () => undefined,
    mayWrite: () => true,
    onFailure: () => undefined,
  })
  await cluster.startStandby()
  await cluster.start(1)
  const changes: Change[] = []
  cluster.watch((change) => changes.push(change))
  await vi.waitFor(() => expect(server.watchCount).toBe(WATCHES), PATIENCE)

  const end = server.inject({ effect: { kind: 'refusal', status: 500 }, verbs: ['watch'] })
  server.eachWatch((feed) => feed.reset(), 'configmaps')
  await cluster.writeTable(KEY, 'ours', null)
  await cluster.deleteTable(KEY)
  end()
  await vi.waitFor(() => expect(server.watchCount).toBe(WATCHES), PATIENCE)
  await new Promise((resolve) => setTimeout(resolve, 300))
  expect(changes.filter(({ what }) => what === 'table')).toEqual([])
  expect(await cluster.readTable(KEY)).toBeNull()

  await cluster.stop()
  await server.goAway()
})
