/**
 * That the linter's borders hold: each row plants one violation in an empty copy of the repository's folders,
 * and the linter has to find it there, under that rule; what is allowed has to pass. Not here: the rules
 * themselves (oxlint.config.ts). A border nobody can break is worth a canary: linters that see no file say
 * "no violations" too.
 */
import { execFile } from 'node:child_process'
import { copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'

const IMPORTS = 'eslint(no-restricted-imports)'
const GLOBALS = 'eslint(no-restricted-globals)'
const PROPERTIES = 'eslint(no-restricted-properties)'

/** What it is, where, the planted line, and the rule that finds it; null = it is allowed. */
type Row = readonly [sentence: string, path: string, source: string, rule: string | null]

const rows: readonly Row[] = [
  ['sip takes a module of Node', 'packages/sip/a.ts', "export * from 'node:util'", IMPORTS],
  ['sip takes a hash', 'packages/sip/b.ts', "export { createHash } from 'node:crypto'", IMPORTS],
  ['sip takes a package', 'packages/sip/c.ts', "export * from '@sipcast/mapping'", IMPORTS],
  ['sip takes a type', 'packages/sip/d.ts', "export type * from '@sipcast/net'", IMPORTS],
  ['sip reaches into mapping', 'packages/sip/e.ts', "export * from '../mapping/a.ts'", IMPORTS],
  ['sip imports later', 'packages/sip/f.ts', "export const a = import('node:fs')", IMPORTS],
  ['sip takes its own file', 'packages/sip/g.ts', "export * from './h/i.ts'", null],
  ['mapping hashes', 'packages/mapping/a.ts', "export { createHash } from 'node:crypto'", null],
  ['mapping draws', 'packages/mapping/b.ts', "export { randomInt } from 'node:crypto'", IMPORTS],
  ['mapping takes sip', 'packages/mapping/c.ts', "export * from '@sipcast/sip'", IMPORTS],
  ['net takes sip', 'packages/net/a.ts', "export * from '@sipcast/sip'", null],
  ['net takes mapping', 'packages/net/b.ts', "export * from '@sipcast/mapping'", IMPORTS],
  ['net opens files', 'packages/net/ffi/a.ts', "export * from 'node:fs/promises'", null],
  ['crds takes a package', 'crds/a.ts', "export * from '@sipcast/sip'", IMPORTS],
  ['crds takes yaml', 'crds/b.ts', "export * from 'yaml'", IMPORTS],
  ['crds takes zod', 'crds/c.ts', "export * from 'zod'", null],

  ['operator takes dataplane', 'operator/a.ts', "export * from '@sipcast/dataplane'", IMPORTS],
  ['operator reaches over', 'operator/io/b.ts', "export * from '../../dataplane/a.ts'", IMPORTS],
  ['dataplane takes operator', 'dataplane/a.ts', "export * from '@sipcast/operator'", IMPORTS],
  ['dataplane reaches over', 'dataplane/b.ts', "export * from '../operator/a.ts'", IMPORTS],
  ['dataplane takes the lab', 'dataplane/io/c.ts', "export * from '@sipcast/lab'", IMPORTS],
  ['past the door of sip', 'dataplane/d.ts', "export * from '@sipcast/sip/scan.ts'", IMPORTS],
  ['round the door', 'dataplane/e.ts', "export * from '../packages/sip/scan.ts'", IMPORTS],
  ['past the door, lab', 'lab/a.ts', "export * from '@sipcast/sip/scan.ts'", IMPORTS],
  ['past the door, test', 'test/a.ts', "export * from '@sipcast/sip/scan.ts'", IMPORTS],
  ['past the door, unit test', 'crds/d.test.ts', "export * from '@sipcast/sip'", IMPORTS],

  ['a file opened by the operator', 'operator/c.ts', "export * from 'node:fs'", IMPORTS],
  ['a socket', 'operator/d.ts', "export { createServer } from 'node:net'", IMPORTS],
  ['the form of an address', 'operator/e.ts', "export { isIP } from 'node:net'", null],
  ['a port opened', 'dataplane/f.ts', "export { openUdpPort } from '@sipcast/net'", IMPORTS],
  ['a batch', 'dataplane/g.ts', "export { DatagramBatch } from '@sipcast/net'", null],
  ['pino outside io', 'dataplane/h.ts', "export * from 'pino'", IMPORTS],
  ['io from outside io', 'dataplane/metrics/i.ts', "export * from '../io/log.ts'", IMPORTS],
  ['main from outside', 'operator/f.ts', "export * from './main.ts'", IMPORTS],
  ['files in io', 'operator/io/g.ts', "export * from 'node:fs/promises'", null],
  ['files in main.ts', 'dataplane/announcer/main.ts', "export * from 'node:fs'", null],

  ['the clock', 'dataplane/j.ts', 'export const a = Date.now()', PROPERTIES],
  ['the clock, unpacked', 'packages/sip/i.ts', 'export const { now } = Date', PROPERTIES],
  ['a date read', 'operator/h.ts', "export const a = Date.parse('2026')", null],
  ['chance', 'packages/mapping/d.ts', 'export const a = Math.random()', PROPERTIES],
  ['a late abort', 'crds/e.ts', 'export const a = AbortSignal.timeout(1)', PROPERTIES],
  ['a timer', 'operator/i.ts', 'export const a = setTimeout(() => {}, 1)', GLOBALS],
  ['an interval', 'operator/j.ts', 'export const a = setInterval(() => {}, 1)', GLOBALS],
  ['the environment', 'dataplane/k.ts', "export const a = process.env['A']", GLOBALS],
  ['the console', 'packages/sip/j.ts', "console.log('a')", GLOBALS],
  ['a stop watch', 'packages/mapping/e.ts', 'export const a = performance.now()', GLOBALS],
  ['the network', 'crds/f.ts', "export const a = fetch('http://a')", GLOBALS],
  ['random bytes', 'operator/k.ts', 'export const a = crypto.randomUUID()', GLOBALS],
  ['a way round', 'dataplane/l.ts', 'export const a = globalThis.Date', GLOBALS],
  ['a clock in io', 'dataplane/io/m.ts', 'export const a = Date.now()', null],
  ['a clock in the lab', 'lab/b.ts', 'export const a = Date.now()', null],

  ['a nameless export', 'lab/c.ts', 'export default 1', 'import(no-default-export)'],
  [
    'a namespace',
    'lab/d.ts',
    'export namespace A { export type B = 1 }',
    'typescript(no-namespace)',
  ],
  ['a console in main.ts', 'operator/main.ts', "console.log('a')", 'eslint(no-console)'],
  ['a file of 501 lines', 'lab/e.ts', 'export {}\n'.repeat(501), 'eslint(max-lines)'],
  [
    'a function of 71 lines',
    'lab/f.ts',
    `export function a(b: number[]) {\n${'b.pop()\n'.repeat(69)}}`,
    'eslint(max-lines-per-function)',
  ],
  [
    'six parameters',
    'lab/g.ts',
    'export const a = (b: 1, c: 1, d: 1, e: 1, f: 1, g: 1) => [b, c, d, e, f, g]',
    'eslint(max-params)',
  ],
  [
    'blocks five deep',
    'lab/h.ts',
    'export function a(b: number) {\n' + 'if (b > 0) {\n'.repeat(5) + 'b--\n' + '}\n'.repeat(6),
    'eslint(max-depth)',
  ],
]

let root: string
let found: ReadonlyMap<string, readonly string[]>

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'sipcast-borders-'))
  const here = join(import.meta.dirname, '..')
  await copyFile(join(here, 'oxlint.config.ts'), join(root, 'oxlint.config.ts'))
  await symlink(join(here, 'node_modules'), join(root, 'node_modules'))
  for (const [, path, source] of rows) {
    await mkdir(dirname(join(root, path)), { recursive: true })
    await writeFile(join(root, path), source)
  }
  found = await lint()
})

afterAll(() => rm(root, { recursive: true }))

test('every row has a file of its own', () => {
  expect(new Set(rows.map(([, path]) => path)).size).toBe(rows.length)
})

test.each(rows)('%s: %s', (_sentence, path, _source, rule) => {
  const rules = found.get(path) ?? []
  if (rule === null) expect(rules).toEqual([])
  else expect(rules).toContain(rule)
})

/** Rules broken, by path. */
async function lint(): Promise<ReadonlyMap<string, readonly string[]>> {
  const oxlint = join(root, 'node_modules', 'oxlint', 'bin', 'oxlint')
  const output = await new Promise<string>((resolve) => {
    // It ends with 1, since it finds something: what it found is what counts.
    const options = { cwd: root, maxBuffer: 1 << 24 }
    execFile(process.execPath, [oxlint, '--format=json'], options, (_error, stdout) =>
      resolve(stdout),
    )
  })
  const { diagnostics } = JSON.parse(output) as {
    diagnostics: { code: string; filename: string }[]
  }
  const byPath = Map.groupBy(diagnostics, ({ filename }) => filename)
  return new Map([...byPath].map(([path, all]) => [path, all.map(({ code }) => code)]))
}
