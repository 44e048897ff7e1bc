/**
 * `npm run cluster`: a kind cluster with the product and the example in it, and phones' namespaces beside it. What is
 * there already is kept and brought up to date. Not here: each of the steps.
 */
import process from 'node:process'
import { CLUSTER_NAME, kindOptions } from './config.ts'
import { guide } from './guide.ts'
import { buildImages, loadImages } from './images.ts'
import { applyExample, install } from './install.ts'
import { KindCluster } from './kind.ts'
import { makePhones } from './lasting-phones.ts'
import { missingPrograms } from './program.ts'
import { step } from './step.ts'

const missing = missingPrograms(['docker', 'kind', 'kubectl', 'helm'])
if (missing.length > 0) {
  console.error(['sipcast: a cluster needs', ...missing].join('\n  '))
  process.exit(1)
}
try {
  await up()
} catch (error) {
  console.error(`sipcast: ${(error as Error).message}`)
  process.exit(1)
}

async function up(): Promise<void> {
  const cluster = await step(`cluster ${CLUSTER_NAME}`, () =>
    KindCluster.create(kindOptions(CLUSTER_NAME)),
  )
  await step('images sipcast, sipcast-kamailio', buildImages)
  const tag = await step('images into the nodes', () => loadImages(cluster))
  await step('helm upgrade --install sipcast', () => install({ kubectl: cluster.kubectl, tag }))
  await step('kubectl apply -k examples/kamailio', () => applyExample(cluster.kubectl))
  const homes = process.getuid?.() === 0 ? await step('phones', () => makePhones(cluster)) : []
  console.log(await guide(cluster, homes))
}
