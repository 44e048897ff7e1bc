/**
 * A process that follows all pods of the API server at the address given and tells what that costs it in memory:
 * `LIST-WATCH-WORKER URL`, with --expose-gc. Prints one line of JSON and ends.
 */
import { ApiServer, ListWatch, paths } from '@sipcast/kube'
import { systemClock } from '@sipcast/net'

export interface MemoryReport {
  readonly objects: number
  /** Of what is kept, once garbage is gone. */
  readonly heapBytes: number
  /** Beyond what the process had before, at its peak. */
  readonly peakBytes: number
}

const [, , server = ''] = process.argv
const api = new ApiServer({ access: { server, tls: {}, headers: async () => ({}) } })
const collectGarbage = (globalThis as { gc?: () => void }).gc!
collectGarbage()
const before = process.memoryUsage()
const pods = new ListWatch({
  api,
  path: paths.pods(),
  pageSize: 100,
  take: ({ metadata, status }) => ({ uid: metadata.uid, ip: (status as { podIP: string }).podIP }),
  onChange: () => {},
  clock: systemClock,
  random: Math.random,
})
pods.start()
await pods.synced()
await new Promise((resolve) => setTimeout(resolve, 500))
collectGarbage()
const report: MemoryReport = {
  objects: [...pods.entries()].length,
  heapBytes: process.memoryUsage().heapUsed - before.heapUsed,
  peakBytes: process.resourceUsage().maxRSS * 1024 - before.rss,
}
console.log(JSON.stringify(report))
pods.stop()
api.close()
