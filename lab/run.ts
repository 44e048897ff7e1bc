/**
 * The lab's shows by name: `npm run lab -- NAME [OPTIONS]` runs the `main.ts` in the folder of that name. `npm start`
 * is one of its own. Not here: what they show (lab/README.md).
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'

/** The registrar is a part, not a show. */
const PARTS = ['registrar']

const [name = '', ...options] = process.argv.slice(2)
const names = readdirSync(import.meta.dirname).filter(
  (folder) => existsSync(programOf(folder)) && !PARTS.includes(folder),
)
if (names.includes(name)) {
  const show = spawn(process.execPath, [programOf(name), ...options], { stdio: 'inherit' })
  // It hears the terminal's signals itself, and others by us; its end is ours.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => signal !== 'SIGINT' && show.kill(signal))
  }
  const [code] = (await once(show, 'exit')) as [number | null]
  process.exitCode = code ?? 1
} else {
  process.stderr.write(`usage: npm run lab -- ${names.join('|')} [OPTIONS]\n`)
  process.exitCode = 2
}

function programOf(folder: string): string {
  return join(import.meta.dirname, folder, 'main.ts')
}
