/** A list-and-watch of very many large objects keeps what it takes of them and nothing else. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { paths } from '@sipcast/kube'
import { FakeApiServer } from '@sipcast/lab'
import { expect, it } from 'vitest'
import type { MemoryReport } from './kubernetes-api/list-watch-worker.ts'

const PODS = 10_000
const POD_BYTES = 6_000
const MIB = 1024 * 1024
/** Of an object: what is taken, its version, its place in a map. */
const KEPT_BYTES_MAX = 1_000

it('keeps of 10 000 pods only what is taken', { timeout: 60_000 }, async () => {
  const fake = await FakeApiServer.start()
  for (let i = 0; i < PODS; i++) {
    const name = `pod-${i}`
    const spec = { note: 'x'.repeat(POD_BYTES) }
    const status = { podIP: `10.1.${i >> 8}.${i & 255}` }
    fake.put(paths.pod('default', name), { metadata: { name }, spec, status })
  }
  const worker = join(import.meta.dirname, 'kubernetes-api', 'list-watch-worker.ts')
  const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', worker, fake.url])
  await fake.goAway()
  const { objects, heapBytes, peakBytes } = JSON.parse(stdout) as MemoryReport
  expect(objects).toBe(PODS)
  expect(heapBytes).toBeLessThan(PODS * KEPT_BYTES_MAX)
  expect(peakBytes).toBeLessThan(90 * MIB)
})
