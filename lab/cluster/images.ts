/** The images, built from this very tree (images/build.sh) and brought into the cluster's nodes. */
import { createHash } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import type { KindCluster } from './kind.ts'
import { run } from './program.ts'

const BUILD = fileURLToPath(new URL('../../images/build.sh', import.meta.url))
const TAG = 'dev'
/** What the chart installs. */
const PRODUCT = ['sipcast', 'sipcast-bird']
const EXAMPLE = 'sipcast-kamailio'
export const ROUTER_IMAGE = `sipcast-router:${TAG}`

/** `BASE_IMAGE` of the environment is what they are built on. */
export async function buildImages(): Promise<void> {
  await run('bash', [BUILD, TAG])
}

/** For routers beside the nodes; no node runs it. */
export async function buildRouterImage(): Promise<void> {
  await run('bash', [BUILD, TAG, 'router'])
}

/**
 * Into the nodes. Returns the tag of the product's images: made from their content, so that an upgrade restarts what
 * changed, and nothing else.
 */
export async function loadImages(cluster: KindCluster): Promise<string> {
  const words = ['image', 'inspect', '--format', '{{.Id}}']
  const ids = await run('docker', [...words, ...PRODUCT.map((name) => `${name}:${TAG}`)])
  const tag = `${TAG}-${createHash('sha256').update(ids).digest('hex').slice(0, 12)}`
  for (const name of PRODUCT) {
    await run('docker', ['tag', `${name}:${TAG}`, `${name}:${tag}`])
    await cluster.load(`${name}:${tag}`)
    await run('docker', ['rmi', `${name}:${tag}`])
  }
  await cluster.load(`${EXAMPLE}:${TAG}`)
  return tag
}
