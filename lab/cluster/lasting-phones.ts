/**
 * Two places for phones that stay until `npm run cluster:down`, for programs started by hand
 * (`ip netns exec sipcast-phone-1 …`). Not here: those of tests, which end with them.
 */
import { ip } from '../network/shell.ts'
import { NAMESPACE } from './install.ts'
import type { ClusterNode, KindCluster } from './kind.ts'
import { type Hop, type PhoneHome, PhoneNetwork, withdraw } from './phones.ts'
import type { Pod } from './troubles.ts'

const PREFIX = 'sipcast-phone'
const HOMES = 2
const FIRST_PLACE = 2

/** @param hops by which they reach the shared addresses: a router, or nodes with balancers */
export async function makePhones(hops: readonly Hop[]): Promise<readonly PhoneHome[]> {
  await removePhones()
  const place = { prefix: PREFIX, homes: HOMES, firstPlace: FIRST_PLACE }
  return (await PhoneNetwork.create({ ...place, hops, isLasting: true })).homes
}

/** Whether or not they are there. */
export async function removePhones(): Promise<void> {
  await withdraw()
  const there = (await ip('netns list')).split('\n').map((line) => line.split(' ')[0] ?? '')
  for (const name of there.filter((name) => name.startsWith(`${PREFIX}-`))) {
    await ip(`netns delete ${name}`)
  }
}

/** Where the shared addresses are held. */
export async function nodesWithBalancers(cluster: KindCluster): Promise<ClusterNode[]> {
  const selector = 'app.kubernetes.io/component=balancer'
  const pods = await cluster.kubectl.list<Pod>('pods', '-n', NAMESPACE, '-l', selector)
  const names = pods.map(({ spec }) => spec.nodeName)
  return (await cluster.nodes()).filter(({ name }) => names.includes(name))
}
