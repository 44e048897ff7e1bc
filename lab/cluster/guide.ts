/** What `npm run cluster` says at its end: how to place a call, and what to look at. */
import { passwordOf } from '../start/password.ts'
import { EXAMPLE, exampleSecrets } from './example.ts'
import { NAMESPACE } from './install.ts'
import type { KindCluster } from './kind.ts'
import type { PhoneHome } from './phones.ts'
import type { ClusterRouter } from './router.ts'

const CALLEE = 'bob'
const CALLER = 'alice'

/** @param router null: the nodes announce nothing */
export async function guide(
  cluster: KindCluster,
  homes: readonly PhoneHome[],
  router: ClusterRouter | null,
): Promise<string> {
  const kinds = `sipproxies,sipbalancers${router === null ? '' : ',bgppeers'}`
  const state = await cluster.kubectl.run('get', kinds, '-A')
  return `
${state.trim()}

${await calls(cluster, homes)}${routes(router)}
What to look at (context kind-${cluster.name})
  kubectl get sipproxies -o wide          kubectl describe sipproxy ${EXAMPLE.sipProxy}
  kubectl get sipbalancers                kubectl explain sipproxy.spec
  kubectl get pods -o wide -w             kubectl get events -w
  kubectl -n ${NAMESPACE} logs -l app.kubernetes.io/component=balancer --all-containers -f
What to break
  kubectl delete pod registrar-1          kubectl annotate pod registrar-1 sipcast.io/drain=true
  kubectl scale statefulset registrar --replicas 5
  kubectl patch sipbalancer ${cluster.name}-worker --type merge -p '{"spec":{"maintenance":true}}'
Away with it all: npm run cluster:down
`
}

function routes(router: ClusterRouter | null): string {
  if (router === null) return ''
  return `What the router ${router.name} (${router.ipv4}) knows
  docker exec ${router.name} birdc show protocols
  docker exec ${router.name} ip route show ${EXAMPLE.address}
`
}

async function calls(cluster: KindCluster, homes: readonly PhoneHome[]): Promise<string> {
  const [near, far] = homes
  if (near === undefined || far === undefined) {
    return `No phones: only root can put them on kind's bridge, and only where the Docker engine runs on this machine.
`
  }
  const secrets = await exampleSecrets(cluster.kubectl)
  const domain = secrets.realm
  const login = (user: string) => `${user}@${domain} -a ${passwordOf(user, secrets)}`
  const account = (user: string) =>
    `'<sip:${user}@${domain};transport=udp>;auth_pass=${passwordOf(user, secrets)};outbound="sip:${EXAMPLE.address};lr"'`
  return `Two places for phones outside the nodes, each with a way to ${EXAMPLE.address}:
  ${near.namespace} (${near.ipv4}), ${far.namespace} (${far.ipv4})
A registration and a message, with sipsak
  ip netns exec ${near.namespace} sipsak -U -C sip:${CALLER}@${near.ipv4}:5060 -p ${EXAMPLE.address} -s sip:${login(CALLER)}
A call, with baresip (accounts, then /dial sip:${CALLEE}@${domain} at ${CALLER}'s)
  ${CALLER}: ${account(CALLER)}
  ${CALLEE}: ${account(CALLEE)}
  ip netns exec ${near.namespace} baresip     ip netns exec ${far.namespace} baresip
`
}
