import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { wholeSchema } from './custom-resource.ts'
import { exampleOf, generatedFiles } from './generate.ts'
import { parseBgpPeer, parseSipBalancer, parseSipBalancerStatus, parseSipProxy } from './mod.ts'
import { type Resource, resources } from './resources.ts'
import type { StructuralSchema } from './structural.ts'

const ROOT = join(import.meta.dirname, '..')
const byKind = resources.map((resource) => [resource.kind, resource] as const)

test.each([...generatedFiles()])('%s is what `npm run crds` writes', (path, text) => {
  expect(readFileSync(join(ROOT, path), 'utf8')).toBe(text)
})

test.each(byKind)('every field of %s has a description', (_kind, resource) => {
  const silent = fieldsOf('', wholeSchema(resource))
    .filter(([path]) => /^\.(spec|status)/.test(path))
    .filter(
      ([path, { description }]) => !/(\[\]|\{\})$/.test(path) && (description ?? '').length < 5,
    )
  expect(silent.map(([path]) => path)).toEqual([])
})

test.each(byKind)('every list, map and text of %s has a bound', (_, resource) => {
  const unbound = fieldsOf('', wholeSchema(resource)).filter(
    ([path, { type, enum: choices, format, maxItems, maxLength, maxProperties, ...schema }]) =>
      /^\.(spec|status)/.test(path) &&
      ((type === 'array' && maxItems === undefined) ||
        (schema.additionalProperties !== undefined && maxProperties === undefined) ||
        (type === 'string' && (choices ?? format ?? maxLength) === undefined)),
  )
  expect(unbound.map(([path]) => path)).toEqual([])
})

test.each(byKind)('every column of %s leads to a field', (_kind, resource) => {
  const paths = fieldsOf('', wholeSchema(resource)).map(([path]) => path)
  const lost = resource.columns
    .map(({ jsonPath }) => jsonPath.replace(/\[[^\]]*\]/g, '[]'))
    .filter((path) => path !== '.metadata.creationTimestamp' && !paths.includes(path))
  expect(lost).toEqual([])
})

test.each(byKind)('the example of %s is valid and has every field', (_kind, resource) => {
  const object = parse(exampleOf(resource)) as { status?: unknown }
  expect(parseOf(resource)(object)).toMatchObject({ ok: true })
  if (object.status !== undefined) {
    expect(parseSipBalancerStatus(object.status)).toMatchObject({ ok: true })
  }
  const { spec, status } = wholeSchema(resource).properties ?? {}
  const wanted = { spec, ...(object.status === undefined ? {} : { status }) }
  const written = JSON.stringify(object)
  const names = Object.values(wanted).flatMap((schema) =>
    fieldsOf('', schema!).map(([path]) => path),
  )
  const absent = names
    .map(
      (path) =>
        path
          .split('.')
          .at(-1)
          ?.replace(/\[\]$|\{\}$/, '') ?? '',
    )
    .filter((name) => name !== '' && !written.includes(`"${name}":`))
  expect(absent.filter((name) => !NOT_IN_EXAMPLES.includes(name))).toEqual([])
})

/** Alternatives to what the examples have. */
const NOT_IN_EXAMPLES = ['matchExpressions', 'key', 'operator', 'values', 'observedGeneration']

function parseOf({ kind }: Resource) {
  if (kind === 'SipProxy') return parseSipProxy
  return kind === 'BgpPeer' ? parseBgpPeer : parseSipBalancer
}

type Field = readonly [path: string, schema: StructuralSchema]

/** The schema itself and all below it. */
function fieldsOf(path: string, schema: StructuralSchema): readonly Field[] {
  const { properties = {}, items, additionalProperties } = schema
  return [
    [path, schema],
    ...Object.entries(properties).flatMap(([name, field]) => fieldsOf(`${path}.${name}`, field)),
    ...(items === undefined ? [] : fieldsOf(`${path}[]`, items)),
    ...(additionalProperties === undefined ? [] : fieldsOf(`${path}{}`, additionalProperties)),
  ]
}
