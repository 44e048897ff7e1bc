/**
 * What documents and comments say is there: files, commands, links, metrics.
 * Not here: what one part documents about itself beside its code (dataplane/metrics.test.ts), dependencies
 * (dependencies.test.ts).
 */
import { existsSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { expect, test } from 'vitest'
import { metrics as metricsOfAnnouncer } from '../dataplane/announcer/metrics.ts'
import { metrics as metricsOfBalancer } from '../dataplane/metrics.ts'
import { makeMetrics } from '../operator/metrics.ts'
import { codeFiles, documents, linesThat, paths, ROOT, read, textFiles } from './repository.ts'

// What was true when it was written stays in it.
const present = documents.filter(({ path }) => path !== 'CHANGELOG.md')
const withCommands = textFiles.filter(({ path }) => /\.(md|ya?ml|sh)$|^\.ci\//.test(path))

test('every document has one title, in its first line', () => {
  for (const { path, text } of documents) {
    const titles = text.replaceAll(/^```.*?^```/gms, '').match(/^# .+$/gm) ?? []
    expect({ path, titles: titles.length, isFirst: text.startsWith('# ') }).toEqual({
      path,
      titles: 1,
      isFirst: true,
    })
  }
})

test('every link between documents leads somewhere', () => {
  const dead = documents.flatMap(({ path, text }) =>
    [...text.matchAll(/\]\((?!https?:|mailto:|#)([^)#\s]+)/g)]
      .map(([, target = '']) => normalize(join(dirname(path), target)))
      .filter((target) => !existsSync(join(ROOT, target)))
      .map((target) => `${path}: ${target}`),
  )
  expect(dead).toEqual([])
})

test('every npm script and every program that is to be run exists', () => {
  const { scripts } = JSON.parse(read('package.json').text) as { scripts: Record<string, string> }
  const unknown = withCommands.flatMap(({ path, text }) => [
    ...[...text.matchAll(/\bnpm (?:run (?:--\S+ )*([\w:-]+)|(start|test)\b)/g)]
      .filter(([, run, own]) => !((run ?? own ?? '') in scripts))
      .map(([command]) => `${path}: ${command}`),
    ...[...text.matchAll(/\bnode ([\w./-]+\.(?:ts|mjs|js))\b/g)]
      .filter(([, file = '']) => !paths.includes(file))
      .map(([command]) => `${path}: ${command}`),
  ])
  expect(unknown).toEqual([])
})

test('every file that a document or a comment names exists', () => {
  const name =
    /(?<![\w./:*@-])(?:\.{1,2}\/)*((?:[\w-]+\/)*[\w.-]+\.(?:ts|mjs|md|sh|cfg|c))(?![\w/]|\.\w)/g
  const isMissing = (file: string) =>
    !paths.some((path) => path === file || path.endsWith(`/${file}`))
  const missingIn = (line: string) =>
    [...line.matchAll(name)].some(([, file = '']) => isMissing(file))
  const isComment = (line: string) => /^\s*(\/?\*|\/\/)/.test(line)
  expect([
    ...linesThat(present, missingIn),
    ...linesThat(codeFiles, (line) => isComment(line) && missingIn(line)),
  ]).toEqual([])
})

test('every metric is in docs/metrics.md, and no other is named anywhere', async () => {
  const none = {
    pools: () => [],
    queueDepth: () => 0,
    freshBalancers: () => 0,
    staleness: () => [],
  }
  const ofOperator = await makeMetrics(none).registry.getMetricsAsJSON()
  const ofDataplane = [...metricsOfBalancer, ...metricsOfAnnouncer]
  const real = [...ofDataplane, ...ofOperator].map(({ name }) => name)
  const documented = [...read('docs/metrics.md').text.matchAll(/^\| `(sipcast_\w+)`/gm)].map(
    ([, name]) => name,
  )
  expect(new Set(documented)).toEqual(new Set(real))

  const named = /\bsipcast_(?:operator|balancer|announcer)_\w+/g
  const isReal = (name: string) => real.includes(name.replace(/_(bucket|sum|count)$/, ''))
  const others = textFiles.filter(({ path }) => /\.(md|ya?ml|json|tpl)$/.test(path))
  const isStrange = (line: string) => [...line.matchAll(named)].some(([word]) => !isReal(word))
  expect(linesThat(others, isStrange)).toEqual([])
})
