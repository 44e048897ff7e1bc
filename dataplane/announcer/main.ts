/**
 * The announcer's program: hands the arguments on. Everything else is in `io/program.ts`, loaded after the
 * compile cache is on, like the balancer's.
 */

import { enableCompileCache } from 'node:module'
import { join } from 'node:path'
import process from 'node:process'

enableCompileCache(join(import.meta.dirname, '../../node_modules/.cache/node'))

const { runAnnouncer } = await import('./io/program.ts')
await runAnnouncer(process.argv.slice(2))
