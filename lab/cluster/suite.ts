/**
 * `npm run test:cluster`: the end-to-end suite on a cluster of its own, which is deleted whatever happens: failed
 * tests, a failed installation, SIGINT, SIGTERM. What an earlier run may have left (it was killed) is deleted first.
 * Arguments go to vitest: `npm run test:cluster -- test/cluster/first-call.test.ts`. With SIPCAST_KEEP=true, the
 * cluster stays after failures, to look at. The exit code is vitest's.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { TEST_CLUSTER_NAME, kindOptions } from './config.ts'
import { buildImages, buildRouterImage, loadImages } from './images.ts'
import { install } from './install.ts'
import { KindCluster } from './kind.ts'
import { missingPrograms } from './program.ts'
import { removeRouters } from './router.ts'
import { step } from './step.ts'

const VITEST = fileURLToPath(new URL('../../node_modules/vitest/vitest.mjs', import.meta.url))
const INTERRUPTED = 130

/** Aborted by a signal; what is under way gets the signal too, and ends, and then the cluster is deleted. */
const ending = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => ending.abort(signal))
}

const missing = missingPrograms(['docker', 'kind', 'kubectl', 'helm'])
if (process.getuid?.() !== 0) missing.push('root: phones stand in network namespaces')
if (missing.length > 0) {
  console.error(['sipcast: the suite on a cluster needs', ...missing].join('\n  '))
  process.exit(1)
}
process.exit(await run(process.argv.slice(2)))

async function run(args: readonly string[]): Promise<number> {
  const directory = await mkdtemp(join(tmpdir(), 'sipcast-test-cluster-'))
  const kubeconfig = join(directory, 'kubeconfig')
  const cluster = new KindCluster({ name: TEST_CLUSTER_NAME, kubeconfig })
  let code = 1
  try {
    await prepare(cluster, kubeconfig)
    code = await vitest(args, kubeconfig)
  } catch (error) {
    if (!ending.signal.aborted) console.error(`sipcast: ${(error as Error).message}`)
  }
  const isKept = code !== 0 && !ending.signal.aborted && process.env['SIPCAST_KEEP'] === 'true'
  if (isKept) {
    console.error(`kept: KUBECONFIG=${kubeconfig}; kind delete cluster --name ${TEST_CLUSTER_NAME}`)
    return code
  }
  await step(`deleting cluster ${TEST_CLUSTER_NAME}`, () => deleteAll(cluster))
  await rm(directory, { recursive: true })
  return ending.signal.aborted ? INTERRUPTED : code
}

async function prepare(cluster: KindCluster, kubeconfig: string): Promise<void> {
  if (await cluster.exists()) await step('an earlier cluster goes', () => deleteAll(cluster))
  const steps: readonly (readonly [name: string, action: () => Promise<unknown>])[] = [
    [
      `cluster ${cluster.name}`,
      () => KindCluster.create({ ...kindOptions(cluster.name), kubeconfig }),
    ],
    ['images sipcast, sipcast-bird, sipcast-kamailio', buildImages],
    ['image sipcast-router', buildRouterImage],
    [
      'product into the cluster',
      async () => await install({ kubectl: cluster.kubectl, tag: await loadImages(cluster) }),
    ],
  ]
  for (const [name, action] of steps) {
    ending.signal.throwIfAborted()
    await step(name, action)
  }
  ending.signal.throwIfAborted()
}

async function deleteAll(cluster: KindCluster): Promise<void> {
  await removeRouters(cluster.name)
  await cluster.delete()
}

async function vitest(args: readonly string[], kubeconfig: string): Promise<number> {
  const child = spawn(process.execPath, [VITEST, 'run', '--project', 'cluster', ...args], {
    stdio: 'inherit',
    env: {
      ...process.env,
      SIPCAST_TEST_KUBECONFIG: kubeconfig,
      SIPCAST_TEST_CLUSTER: TEST_CLUSTER_NAME,
    },
  })
  ending.signal.addEventListener('abort', () => child.kill('SIGTERM'))
  const [code] = (await once(child, 'exit')) as [number | null]
  return code ?? 1
}
