/**
 * The benchmarks by name: `npm run bench -- NAME [OPTIONS]` runs the `run.ts` in the folder of that name.
 * Not here: what they measure (docs/benchmarks.md).
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'

const [name = '', ...options] = process.argv.slice(2)
const names = readdirSync(import.meta.dirname).filter((folder) => existsSync(programOf(folder)))
if (names.includes(name)) {
  const { status } = spawnSync(process.execPath, [programOf(name), ...options], {
    stdio: 'inherit',
  })
  process.exitCode = status ?? 1
} else {
  process.stderr.write(`usage: npm run bench -- ${names.join('|')} [OPTIONS]\n`)
  process.exitCode = 2
}

function programOf(folder: string): string {
  return join(import.meta.dirname, folder, 'run.ts')
}
