/** A flood of a shared address, from a trunk. Not here: what it consists of (`flood.ts`). */
import { fileURLToPath } from 'node:url'
import type { Node } from '../network/topology.ts'
import { type Process, startProcess } from '../process/process.ts'
import { SHARED } from './system.ts'

const PROGRAM = fileURLToPath(new URL('flood.ts', import.meta.url))

/** It ends by itself. */
export async function startFlood(
  { name, namespace, ...addresses }: Node,
  version: 'ipv4' | 'ipv6',
  seconds: number,
): Promise<Process> {
  return await startProcess({
    name: `flood from ${name}`,
    namespace,
    command: process.execPath,
    args: [PROGRAM, addresses[version], SHARED[version], String(seconds)],
  })
}
