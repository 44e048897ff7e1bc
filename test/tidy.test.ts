/**
 * Style as a test: names, openings, sizes and words of the source. What it says is the rule; nobody argues in a review.
 * Not here: who imports what, lengths of files and functions (oxlint.config.ts), formatting (biome.json), dead code
 * (knip.json), documents (documents.test.ts), packages (dependencies.test.ts).
 */
import { basename } from 'node:path'
import { expect, test } from 'vitest'
import { codeFiles, linesThat, paths, textFiles } from './repository.ts'

const LINES_MEDIAN_MAX = 120
/** The formatter holds code to 100 columns and leaves comments alone. */
const COMMENT_COLUMNS_MAX = 120

// This file names what it looks for.
const others = textFiles.filter(
  ({ path }) => path !== 'test/tidy.test.ts' && path !== 'package-lock.json',
)
const otherCode = codeFiles.filter(({ path }) => path !== 'test/tidy.test.ts')
const tests = otherCode.filter(
  ({ path }) => path.startsWith('test/') || /\.(test|fixture|twin)\.ts$/.test(path),
)
const sources = otherCode.filter((file) => !tests.includes(file))
const effectful =
  /(^|\/)io\/|(^|\/)main\.ts$|^packages\/(net|kube)\/|^lab\/|^crds\/generate\.ts$|\.config\.ts$/

test('files are named in kebab case, after what they hold', () => {
  const kebab = /^[a-z0-9]+(-[a-z0-9]+)*(\.(test|fixture|twin|bench|config|fuzz\.test))?\.[a-z]+$/
  const forbidden =
    /^(utils?|helpers?|commons?|misc|types?|index|managers?)\.|-(utils?|helpers?|manager)\./
  const named = paths
    .filter((path) => /\.(ts|mjs|sh|c|h|cfg)$/.test(path))
    .map((path) => basename(path))
  expect.soft(named.filter((name) => !kebab.test(name))).toEqual([])
  expect.soft(named.filter((name) => forbidden.test(name))).toEqual([])
})

test('folders are named in kebab case', () => {
  const folders = new Set(paths.flatMap((path) => path.split('/').slice(0, -1)))
  expect([...folders].filter((name) => !/^\.?[a-z0-9]+(-[a-z0-9]+)*$/.test(name))).toEqual([])
})

// A test beside the file that it tests says enough by its name.
test('every file of code opens with what it is, before its imports', () => {
  const isBesideItsSubject = (path: string) =>
    path.endsWith('.test.ts') && paths.includes(path.replace(/\.test\.ts$/, '.ts'))
  const silent = codeFiles.filter(
    ({ path, text }) =>
      !text.startsWith('/**\n') && !text.startsWith('/** ') && !isBesideItsSubject(path),
  )
  expect(silent.map(({ path }) => path)).toEqual([])
})

test(`half of the source files have at most ${LINES_MEDIAN_MAX} lines`, () => {
  const lengths = sources.map(({ text }) => text.split('\n').length - 1).toSorted((a, b) => a - b)
  expect(lengths[lengths.length >> 1]).toBeLessThanOrEqual(LINES_MEDIAN_MAX)
})

test(`comments keep to ${COMMENT_COLUMNS_MAX} columns`, () => {
  const isLong = (line: string) =>
    /^\s*(\/?\*|\/\/)/.test(line) && [...line].length > COMMENT_COLUMNS_MAX
  expect(linesThat(codeFiles, isLong)).toEqual([])
})

test('nothing is left for later', () => {
  const later = /\b(TODO|FIXME|XXX|HACK)\b/
  expect(linesThat(others, (line) => later.test(line))).toEqual([])
})

test('every test runs; only what the machine lacks may be left out, by requires()', () => {
  const leftOut =
    /\.(only|skip|skipIf|todo)(\(|\.)|\b(it|test|describe)\b[\w.]*\.fails\b|\b[xf](it|describe)\(/
  const unguarded = tests.filter(({ text }) => !text.includes("/requires.ts'"))
  expect([
    ...linesThat(tests, (line) => leftOut.test(line)),
    ...linesThat(unguarded, (line) => /^(?!\s*\*).*\.runIf\(/.test(line)),
  ]).toEqual([])
})

test('nothing is caught silently: a comment says why that is safe', () => {
  const silent = otherCode.flatMap(({ path, text }) => {
    const lines = text.split('\n')
    return lines.flatMap((line, index) => {
      const isExplained = [lines[index - 1], line, lines[index + 1]].some((near) =>
        near?.includes('//'),
      )
      return /\bcatch \{/.test(line) && !isExplained ? [`${path}:${index + 1}`] : []
    })
  })
  expect(silent).toEqual([])
})

// The linter sees Date.now, but not these.
test('where effects may not happen, no date is taken from the clock', () => {
  const fromClock = /\bnew Date\(\s*\)|(?<!new )\bDate\(|[=(,] *Date\b(?!\.)/
  const pure = sources.filter(({ path }) => !effectful.test(path))
  expect(linesThat(pure, (line) => fromClock.test(line))).toEqual([])
})

test('no way round the linter without its reason', () => {
  const unexplained =
    /(oxlint|eslint)-disable(?!.* -- .{8})|@ts-(ignore|nocheck)|@ts-expect-error(?!.{8})/
  expect(linesThat(others, (line) => unexplained.test(line))).toEqual([])
})

test('no file knows whose machine or hand it came from', () => {
  const machine = /(^|[\s"'`(=])\/(home|Users|work|workspace)\/|\/root\/[a-z]/
  const hand =
    /\bco-authored-by\b|\bgenerated (by|with) (an? )?(ai|assistant)\b|\blanguage model\b|\bsub-?agents?\b/i
  expect(linesThat(others, (line) => machine.test(line) || hand.test(line))).toEqual([])
})
