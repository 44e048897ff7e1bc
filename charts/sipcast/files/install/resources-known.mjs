/**
 * Part of the first installation with `bgp.peers`: waits until the API server serves BgpPeers, which the chart has just
 * brought. Runs in the product's own image (cwd is its folder), hence plain JavaScript by way of `node -e`.
 * Not here: making them, which is Helm's.
 */
import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import { ApiServer, inClusterAccess } from '@sipcast/kube'

const PATIENCE_MS = 60_000
const LOOK_EVERY_MS = 200

const api = new ApiServer({ access: await inClusterAccess(), userAgent: 'sipcast-install' })
const endsAtMs = performance.now() + PATIENCE_MS
let isKnown = await isServed('bgppeers')
while (!isKnown && performance.now() < endsAtMs) {
  await sleep(LOOK_EVERY_MS)
  isKnown = await isServed('bgppeers')
}
process.stdout.write(`BgpPeers are ${isKnown ? '' : 'not '}served\n`)
api.close()
process.exitCode = isKnown ? 0 : 1

async function isServed(plural) {
  const group = await api.get('/apis/sipcast.io/v1alpha1')
  return group?.resources?.some(({ name }) => name === plural) ?? false
}
