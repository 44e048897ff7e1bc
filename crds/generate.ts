/**
 * `npm run crds` writes what is made from the schemas: one CRD per resource, with the chart's copy, and
 * docs/api-reference.md. Not here: what is in them (custom-resource.ts, reference.ts). Invariant: the same schemas give
 * the same bytes.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { customResourceDefinition } from './custom-resource.ts'
import { apiReference } from './reference.ts'
import { type Resource, resources } from './resources.ts'

const ROOT = join(import.meta.dirname, '..')
const LINE_LENGTH = 110

/** Text by path from the root of the repository. */
export function generatedFiles(): ReadonlyMap<string, string> {
  const definitions = resources.flatMap((resource) =>
    // Helm cannot read outside its chart.
    ['crds', 'charts/sipcast/files/crds'].map(
      (folder) => [`${folder}/${resource.plural}.yaml`, definitionYaml(resource)] as const,
    ),
  )
  const chapters = resources.map((resource) => ({ resource, example: exampleOf(resource) }))
  return new Map([...definitions, ['docs/api-reference.md', apiReference(chapters)]])
}

/** YAML of an object that has every field. */
export function exampleOf({ kind }: Resource): string {
  const name = kind.replaceAll(/(?<=[a-z])[A-Z]/g, '-$&').toLowerCase()
  return readFileSync(join(import.meta.dirname, 'examples', `${name}.yaml`), 'utf8')
}

function definitionYaml(resource: Resource): string {
  const head = '# Made from the schemas in crds/ by `npm run crds`; do not edit.\n'
  return head + stringify(customResourceDefinition(resource), { lineWidth: LINE_LENGTH })
}

if (import.meta.main) {
  for (const [path, text] of generatedFiles()) writeFileSync(join(ROOT, path), text)
}
