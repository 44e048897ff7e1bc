/** The two images, built from this very tree (images/build.sh) and brought into the cluster's nodes. */
import { fileURLToPath } from 'node:url'
import type { KindCluster } from './kind.ts'
import { run } from './program.ts'

const BUILD = fileURLToPath(new URL('../../images/build.sh', import.meta.url))
const TAG = 'dev'

/** `BASE_IMAGE` of the environment is what they are built on. */
export async function buildImages(): Promise<void> {
  await run('bash', [BUILD, TAG])
}

/**
 * Into the nodes. Returns the tag of the product's image: made from its content, so that an upgrade restarts what
 * changed, and nothing else.
 */
export async function loadImages(cluster: KindCluster): Promise<string> {
  const id = await run('docker', ['image', 'inspect', '--format', '{{.Id}}', `sipcast:${TAG}`])
  const tag = `${TAG}-${id.trim().replace('sha256:', '').slice(0, 12)}`
  await run('docker', ['tag', `sipcast:${TAG}`, `sipcast:${tag}`])
  await cluster.load(`sipcast:${tag}`)
  await cluster.load(`sipcast-kamailio:${TAG}`)
  await run('docker', ['rmi', `sipcast:${tag}`])
  return tag
}
