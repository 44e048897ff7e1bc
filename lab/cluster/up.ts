/**
 * `npm run cluster`: a kind cluster with the product and the example in it, a router beside it that the nodes announce
 * the shared addresses to, and phones' namespaces behind that. What is there already is kept and brought up to date.
 * `npm run cluster -- none`: without BGP (`announce: none`); phones have their own routes to the nodes.
 * Not here: each of the steps.
 */
import process from 'node:process'
import { Announce, announceOf, CLUSTER_NAME, kindOptions, ROUTER_NAME } from './config.ts'
import { guide } from './guide.ts'
import { buildImages, buildRouterImage, loadImages } from './images.ts'
import { applyExample, install } from './install.ts'
import { KindCluster } from './kind.ts'
import { makePhones, nodesWithBalancers } from './lasting-phones.ts'
import { missingPrograms } from './program.ts'
import { ClusterRouter, removeRouters, RouterKind } from './router.ts'
import { step } from './step.ts'

const announce = announceOf(process.argv.slice(2))
if (announce === null) {
  console.error('usage: npm run cluster [-- bgp | none]')
  process.exit(2)
}
const missing = missingPrograms(['docker', 'kind', 'kubectl', 'helm'])
if (missing.length > 0) {
  console.error(['sipcast: a cluster needs', ...missing].join('\n  '))
  process.exit(1)
}
try {
  await up(announce)
} catch (error) {
  console.error(`sipcast: ${(error as Error).message}`)
  process.exit(1)
}

async function up(announce: Announce): Promise<void> {
  const cluster = await step(`cluster ${CLUSTER_NAME}`, () =>
    KindCluster.create(kindOptions(CLUSTER_NAME)),
  )
  const { kubectl } = cluster
  await step('images sipcast, sipcast-bird, sipcast-kamailio', buildImages)
  const tag = await step('images into the nodes', () => loadImages(cluster))
  const router = announce === Announce.bgp ? await step('router', () => startRouter(cluster)) : null
  if (router === null) await removeRouters(CLUSTER_NAME)
  const values = announcing(router)
  await step('helm upgrade --install sipcast', () => install({ kubectl, tag, values }))
  await step('kubectl apply -k examples/kamailio', () => applyExample(kubectl))
  const hops = router === null ? await nodesWithBalancers(cluster) : [router]
  const homes = process.getuid?.() === 0 ? await step('phones', () => makePhones(hops)) : []
  console.log(await guide(cluster, homes, router))
}

async function startRouter(cluster: KindCluster): Promise<ClusterRouter> {
  await buildRouterImage()
  const nodes = (await cluster.nodes()).filter(({ isWorker }) => isWorker)
  const { bird: kind } = RouterKind
  return await ClusterRouter.start({ name: ROUTER_NAME, kind, cluster: CLUSTER_NAME, nodes })
}

/** Values of the chart. */
function announcing(router: ClusterRouter | null): object {
  if (router === null) return {}
  const peers = [{ name: 'router', ...router.peer }]
  return { announcer: { announce: Announce.bgp }, bgp: { peers } }
}
