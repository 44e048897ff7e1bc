/**
 * The balancer's program. Reads the arguments and hands them on; everything else is in `io/program.ts`,
 * loaded only after settings of the machine that hold for the packet workers' threads too:
 *
 * - The young generation of the heap stays small. Main thread and workers allocate little, but a table
 *   that is decoded makes it grow, for good: 60 MiB.
 * - What Node makes of the sources is kept beside the packages, or where NODE_COMPILE_CACHE says. Without
 *   that, every thread of every start strips the types anew: 15 MiB each, and a quarter of a second. Where
 *   nothing can be written, that is the price. It is good for the same flags only, hence all flags before
 *   it.
 */

import { enableCompileCache } from 'node:module'
import { join } from 'node:path'
import process from 'node:process'
import { setFlagsFromString } from 'node:v8'

setFlagsFromString('--semi-space-growth-factor=1')
setFlagsFromString('--expose-gc')
const { directory } = enableCompileCache(join(import.meta.dirname, '../node_modules/.cache/node'))
if (directory !== undefined) process.env['NODE_COMPILE_CACHE'] ??= directory

const { runProgram } = await import('./io/program.ts')
await runProgram(process.argv.slice(2))
