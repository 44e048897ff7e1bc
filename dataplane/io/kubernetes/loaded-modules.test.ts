/**
 * What the cluster's skin loads: client-node (80 MiB) and zod (15 MiB) have no place in a process that has 150 MiB.
 */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'

const run = promisify(execFile)

/** Modules that a process has loaded after this. */
async function loadedBy(...modules: readonly string[]): Promise<string> {
  const urls = modules.map((path) => new URL(path, import.meta.url).href)
  const program = `
    import { registerHooks } from 'node:module'
    const loaded = []
    registerHooks({ load: (url, context, next) => (loaded.push(url), next(url, context)) })
    for (const url of ${JSON.stringify(urls)}) await import(url)
    process.stdout.write(loaded.join('\\n'))
    process.exit(0)`
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', program])
  return stdout
}

it('a balancer in a cluster loads neither client-node nor zod', async () => {
  const loaded = await loadedBy('../program.ts', './cluster.ts')
  expect(loaded).toContain('/packages/kube/api-server.ts')
  expect(loaded).not.toMatch(/client-node|\/zod\//)
})

it('a balancer on a directory loads nothing of the cluster, and the announcer no packet path', async () => {
  expect(await loadedBy('../program.ts')).not.toContain('/packages/kube/')
  const loaded = await loadedBy('../../announcer/io/program.ts')
  expect(loaded).not.toMatch(/koffi|\/packages\/kube\/|\/zod\//)
})
