/** A thread of a part that is made to hang, for faults that no signal can make. Not here: how (`hang.ts`). */
import { fileURLToPath } from 'node:url'
import { startProcess } from '../process/process.ts'
import type { Part } from '../start/part.ts'

const PROGRAM = fileURLToPath(new URL('hang.ts', import.meta.url))

/** Prepares it; what it resolves to makes the thread hang at once. */
export async function armHang(
  part: Part,
  namespace: string,
  thread: 'main' | 'worker',
): Promise<() => Promise<void>> {
  const program = await startProcess({
    name: `debugger of ${part.name}`,
    namespace,
    command: process.execPath,
    args: [PROGRAM, String(part.process.pid), thread],
    ready: async ({ log }) => void (await log.until(/^armed$/)),
  })
  return async () => {
    program.signal('SIGUSR2')
    await program.log.until(/^done$/)
  }
}
