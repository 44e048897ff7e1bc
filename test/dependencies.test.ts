/**
 * What the repository stands on: every package has a reason and a licence we may ship, and the lock file is what the
 * package.json files say, fit for any registry.
 * Not here: unused packages (knip.json), versions worth having.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { paths, ROOT, read } from './repository.ts'

/** As permissive, but off the list: they come with @kubernetes/client-node and cannot be left out. */
const BROUGHT_ALONG: Readonly<Record<string, string>> = {
  argparse: 'PSF-2.0',
  'stream-buffers': 'Unlicense',
}
const LICENCES = ['0BSD', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', 'ISC', 'MIT']
/** Of tools that we run and don't ship. */
const LICENCES_OF_TOOLS = [...LICENCES, 'MPL-2.0']

interface Manifest {
  readonly name: string
  readonly version: string
  readonly private?: boolean
  readonly license?: string
  readonly workspaces?: readonly string[]
  readonly dependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

interface Locked extends Manifest {
  readonly link?: boolean
  readonly dev?: boolean
  readonly os?: readonly string[]
  readonly cpu?: readonly string[]
  readonly libc?: readonly string[]
  readonly resolved?: string
  readonly integrity?: string
}

const manifests = new Map(
  paths
    .filter((path) => /(^|\/)package\.json$/.test(path))
    .map((path) => [path.replace(/\/?package\.json$/, ''), json<Manifest>(path)]),
)
const root = manifests.get('')!
const lock = new Map(
  Object.entries(json<{ packages: Record<string, Locked> }>('package-lock.json').packages),
)
const foreign = [...lock].filter(
  ([path, { link }]) => path.startsWith('node_modules/') && link !== true,
)

test('every package.json is that of a workspace, private, and of the one version', () => {
  expect([...manifests.keys()].filter((folder) => folder !== '').toSorted()).toEqual(
    root.workspaces?.toSorted(),
  )
  for (const [folder, { version, private: isPrivate, ...manifest }] of manifests) {
    expect({ folder, version, isPrivate }).toEqual({
      folder,
      version: root.version,
      isPrivate: true,
    })
    for (const [name, wanted] of Object.entries(manifest.dependencies ?? {})) {
      if (name.startsWith('@sipcast/'))
        expect({ folder, wanted }).toEqual({ folder, wanted: root.version })
    }
  }
})

test('every dependency has its licence and its reason in ARCHITECTURE.md, and nothing else has', () => {
  const wanted = new Set([...manifests.values()].flatMap(foreignNames))
  const rows = reasons()
  expect([...rows.keys()].toSorted()).toEqual([...wanted].toSorted())
  for (const [name, { licences, reason }] of rows) {
    expect(licences, `licence of ${name}`).toContain(licenceChoices(name)[0])
    expect(reason.length, `reason of ${name}`).toBeGreaterThan(5)
  }
})

test('every package that comes along has a licence on the list', () => {
  const others = foreign.filter(([path, { dev }]) => {
    const allowed = dev === true ? LICENCES_OF_TOOLS : LICENCES
    const name = path.replace(/^.*node_modules\//, '')
    const choices = licenceChoices(name)
    return !choices.some((licence) => [...allowed, BROUGHT_ALONG[name]].includes(licence))
  })
  expect(others.map(([path]) => path)).toEqual([])
})

test('the lock file names no registry', () => {
  expect(foreign.filter(([, { resolved }]) => resolved !== undefined)).toEqual([])
  expect(read('package-lock.json').text).not.toMatch(/https?:\/\/registry/)
})

test('the lock file has a checksum for every package that may run where sipcast does', () => {
  const unchecked = foreign.filter(([, { integrity, os, cpu, libc }]) => {
    const isOurs = (wanted: readonly string[] | undefined, ...ours: readonly string[]) =>
      wanted === undefined || ours.some((one) => wanted.includes(one))
    const runsHere = isOurs(os, 'linux') && isOurs(cpu, 'x64', 'arm64') && isOurs(libc, 'glibc')
    return integrity === undefined && runsHere
  })
  expect(unchecked.map(([path]) => path)).toEqual([])
})

// Else `npm ci` refuses it; npm itself leaves out what the registry at hand does not have.
test('the lock file names the packages of all platforms', () => {
  const missing = foreign.flatMap(([path, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies).filter(
      (name) => !lock.has(`node_modules/${name}`) && !lock.has(`${path}/node_modules/${name}`),
    ),
  )
  expect(missing).toEqual([])
})

test('the lock file says what the package.json files say', () => {
  const kinds = ['version', 'dependencies', 'devDependencies', 'optionalDependencies'] as const
  const ranges = (manifest: Manifest | undefined) =>
    kinds.map((kind) => [kind, manifest?.[kind] ?? {}])
  for (const [folder, manifest] of manifests) {
    // npm leaves an empty list out.
    expect({ folder, ranges: ranges(lock.get(folder)) }).toEqual({
      folder,
      ranges: ranges(manifest),
    })
  }
})

function foreignNames(manifest: Manifest): string[] {
  const { dependencies, devDependencies, optionalDependencies } = manifest
  const all = { ...dependencies, ...devDependencies, ...optionalDependencies }
  return Object.keys(all).filter((name) => !name.startsWith('@sipcast/'))
}

/** Rows of the table under "Dependencies": names (with a remark in brackets), licences, reason. */
function reasons(): ReadonlyMap<string, { licences: readonly string[]; reason: string }> {
  const section = /^## Dependencies$(.*?)^## /ms.exec(read('ARCHITECTURE.md').text)?.[1] ?? ''
  const rows = [...section.matchAll(/^\| (.+?) \| (.+?) \| (.+?) \|$/gm)].slice(1)
  return new Map(
    rows.flatMap(([, names = '', licences = '', reason = '']) =>
      names
        .replace(/\(.*\)/, '')
        .split(',')
        .map((name) => [
          name.replaceAll('`', '').trim(),
          { licences: licences.split(/, | or /), reason },
        ]),
    ),
  )
}

/**
 * As the package itself says it, or the lock file where it is for another machine; of "MIT OR Apache-2.0" one will
 * do.
 */
function licenceChoices(name: string): readonly string[] {
  const path = join('node_modules', name, 'package.json')
  const own = existsSync(join(ROOT, path)) ? json<Manifest>(path).license : undefined
  return (own ?? lock.get(`node_modules/${name}`)?.license ?? '').split(' OR ')
}

function json<T>(path: string): T {
  return JSON.parse(read(path).text) as T
}
