/**
 * One operator per directory. The lock is an abstract Unix socket named after the directory: the kernel frees it with
 * the process, however that ends, so there is no stale lock. Not here: leader election (Kubernetes).
 */
import { createHash } from 'node:crypto'
import { realpath } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { errnoOf } from './store-error.ts'

/** The lock, held until it is closed; null where another operator holds it. */
export async function lockDirectory(path: string): Promise<Server | null> {
  const digest = createHash('sha256')
    .update(await realpath(path))
    .digest('hex')
  const server = createServer((socket) => socket.destroy())
  return await new Promise((resolve, reject) => {
    server.once('error', (cause) => {
      if (errnoOf(cause) === 'EADDRINUSE') resolve(null)
      else reject(cause)
    })
    server.listen(`\0sipcast-operator-${digest.slice(0, 32)}`, () => {
      server.unref()
      resolve(server)
    })
  })
}
