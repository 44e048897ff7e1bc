/**
 * One announcer per network namespace: two would each remove what the other one holds. The lock is an abstract
 * unix socket, of which every network namespace has its own, and which the kernel frees with the process. Not
 * here: who comes next.
 */

import { createServer, type Server } from 'node:net'

const NAME = '\0sipcast-announcer'

/** The lock, held until it is closed; null while another announcer has it. */
export async function lockNode(): Promise<Server | null> {
  const server = createServer((socket) => socket.destroy())
  return await new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      if (cause.code === 'EADDRINUSE') resolve(null)
      else reject(cause)
    })
    server.listen(NAME, () => resolve(server.unref()))
  })
}
