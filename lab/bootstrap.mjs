/**
 * Makes sure that what package-lock.json says is installed, and that a Node that runs TypeScript as it stands
 * is there. Runs before `npm start` and `npm test`, from a fresh clone and with any Node ≥ 20: therefore
 * plain JavaScript, without imports of ours. Invariant: silent and quick when there is nothing to do.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const NODE_MAJOR_MIN = 26
/** npm explains a refused lock file at the length of its whole usage. */
const WORDS_MAX = 12
const root = dirname(dirname(fileURLToPath(import.meta.url)))

if (!isInstalled()) install()
checkNode()

/** npm writes what it has installed next to it, in the same form as the lock file. */
function isInstalled() {
  const wanted = packagesOf(join(root, 'package-lock.json'))
  const found = packagesOf(join(root, 'node_modules', '.package-lock.json'))
  if (found === null || wanted === null) return false
  return Object.entries(wanted).every(([path, entry]) => {
    if (!path.startsWith('node_modules/')) return true
    // Optional packages are those of other platforms, mostly.
    if (found[path] === undefined) return entry.optional === true
    return found[path].version === entry.version && existsSync(join(root, path))
  })
}

function packagesOf(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8')).packages ?? null
  } catch {
    // Not there or cut off: then it is installed anew.
    return null
  }
}

function install() {
  console.error('sipcast: installing what package-lock.json says (npm ci) …')
  // Started from within npm, this is the same npm.
  const npm = process.env['npm_execpath']
  const [command, first] = npm === undefined ? ['npm', []] : [process.execPath, [npm]]
  const args = [...first, 'ci', '--no-audit', '--no-fund', '--loglevel=error']
  const result = spawnSync(command, args, { cwd: root, encoding: 'utf8' })
  if (result.status === 0) return
  const words = `${result.stdout ?? ''}${result.stderr ?? ''}${result.error?.message ?? ''}`
  console.error(words.trim().split('\n').slice(0, WORDS_MAX).join('\n'))
  fail(
    'npm ci failed (its words are above): is the npm registry, or a filled npm cache, within reach?',
  )
}

function checkNode() {
  const own = join(root, 'node_modules', '.bin', 'node')
  const version = existsSync(own)
    ? spawnSync(own, ['--version'], { encoding: 'utf8' }).stdout
    : process.version
  const major = Number(/^v(\d+)/.exec(version ?? '')?.[1] ?? 0)
  if (major < NODE_MAJOR_MIN) {
    fail(
      `Node ${NODE_MAJOR_MIN} is needed to run. It comes with the repository on Linux x64 and arm64 (optional dependency ` +
        `node-linux-*); here it did not, and this is ${process.version}.`,
    )
  }
}

function fail(message) {
  console.error(`sipcast: ${message}`)
  process.exit(1)
}
