/**
 * The announcer's program: hands the arguments on. Everything else is in `io/program.ts`, loaded after the
 * compile cache is on, like the balancer's.
 */

import { enableCompileCache } from 'node:module'
import { join } from 'node:path'
import process from 'node:process'
import { setFlagsFromString } from 'node:v8'

// Proofs and listings live for a moment: a young generation that stays small is enough for them.
setFlagsFromString('--semi-space-growth-factor=1')
enableCompileCache(join(import.meta.dirname, '../../node_modules/.cache/node'))

const { runAnnouncer } = await import('./io/program.ts')
await runAnnouncer(process.argv.slice(2))
