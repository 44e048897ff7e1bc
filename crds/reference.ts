/**
 * The API reference in Markdown, from the same schemas as the CRDs. Pure. Not here: explanations that need more than a
 * field (docs).
 */
import { customResourceDefinition } from './custom-resource.ts'
import { allowedText, defaultText } from './explained.ts'
import type { Resource } from './resources.ts'
import { API_VERSION } from './sip-proxy.ts'
import { type StructuralSchema, structuralSchema } from './structural.ts'

/** A resource, and YAML of an object that has every field. */
export interface Chapter {
  readonly resource: Resource
  readonly example: string
}

export function apiReference(chapters: readonly Chapter[]): string {
  return [INTRODUCTION, ...chapters.map(chapter)].join('\n\n') + '\n'
}

const INTRODUCTION = `# API reference

<!-- Made from the schemas in crds/ by \`npm run crds\`; do not edit. -->

API group and version: \`${API_VERSION}\`. \`kubectl explain\` says the same, field by field.

- Durations are spelt as in Go: \`500ms\`, \`2s\`, \`1m30s\`.
- **required** stands where a field has to be given. A field without a default may be left out; its meaning says what then holds.
- \`[]\` stands for each entry of a list, \`{}\` for each value of a map.
- What the API server refuses, it refuses with the words of the *allowed* column and of the rules. What it cannot check alone (who owns an address, whether a selector finds anything) is
  told by the operator in the object's conditions.`

function chapter({ resource, example }: Chapter): string {
  const { kind, description, scope, plural, shortName, nameLengthMax, spec, status } = resource
  const specSchema = structuralSchema(spec.schema, { withDefaults: true })
  const statusSchema = structuralSchema(status.schema, { withDefaults: false })
  const scoped = scope === 'Namespaced' ? 'In a namespace.' : 'Cluster-wide.'
  return [
    `## ${kind}`,
    description,
    `${scoped} \`kubectl get ${plural}\`, or \`${shortName}\` for short. The name has at most ${nameLengthMax} characters.`,
    columnsTable(resource),
    'An object with every field:',
    `\`\`\`yaml\n${example.trimEnd()}\n\`\`\``,
    `### ${kind} spec`,
    spec.description,
    fieldsTable('spec', specSchema),
    ...rulesList('spec', specSchema),
    `### ${kind} status`,
    status.description,
    fieldsTable('status', statusSchema, { withDefaults: false }),
  ].join('\n\n')
}

function columnsTable(resource: Resource): string {
  const [version] = customResourceDefinition(resource).spec.versions
  return table(
    ['column', 'from', 'meaning'],
    (version?.additionalPrinterColumns ?? []).map(({ name, jsonPath, description, ...rest }) => [
      'priority' in rest ? `${name.toUpperCase()} (\`-o wide\`)` : name.toUpperCase(),
      `\`${jsonPath}\``,
      description,
    ]),
  )
}

interface Field {
  readonly path: string
  readonly schema: StructuralSchema
  readonly isRequired: boolean
}

function fieldsTable(
  root: string,
  schema: StructuralSchema,
  { withDefaults } = { withDefaults: true },
): string {
  const rows = fieldsOf(root, schema)
  return withDefaults
    ? table(
        ['field', 'type', 'default', 'allowed', 'meaning'],
        rows.map((field) => [
          `\`${field.path}\``,
          typeText(field.schema),
          field.isRequired ? '**required**' : code(defaultText(field.schema)),
          allowedText(field.schema),
          field.schema.description ?? '',
        ]),
      )
    : table(
        ['field', 'type', 'values', 'meaning'],
        rows.map((field) => [
          `\`${field.path}\``,
          typeText(field.schema),
          allowedText(field.schema),
          field.schema.description ?? '',
        ]),
      )
}

/** Depth first, as they are written in a manifest. */
function fieldsOf(path: string, schema: StructuralSchema): readonly Field[] {
  const { properties = {}, required = [], items, additionalProperties } = schema
  const inner = items ?? additionalProperties
  const ofInner =
    inner === undefined ? [] : fieldsOf(`${path}${items === undefined ? '{}' : '[]'}`, inner)
  const own = Object.entries(properties).flatMap(([name, field]) => {
    const isRequired = required.includes(name)
    return [
      { path: `${path}.${name}`, schema: field, isRequired },
      ...fieldsOf(`${path}.${name}`, field),
    ]
  })
  return [...own, ...ofInner]
}

/** Rules between fields: those of one field stand in its row. */
function rulesList(root: string, schema: StructuralSchema): readonly string[] {
  const whole: Field = { path: root, schema, isRequired: true }
  const rules = [whole, ...fieldsOf(root, schema)].flatMap((field) =>
    (field.schema['x-kubernetes-validations'] ?? [])
      .filter(() => field.schema.spelling === undefined)
      .map(({ message, fieldPath = '' }) => `- \`${field.path}${fieldPath}\`: ${message}`),
  )
  return rules.length === 0 ? [] : ['Rules:', rules.join('\n')]
}

function typeText({
  type,
  items,
  additionalProperties,
  format,
  nullable,
}: StructuralSchema): string {
  if (items !== undefined) return `list of ${typeText(items)}`
  if (additionalProperties !== undefined) return `map to ${typeText(additionalProperties)}`
  const base = format === 'date-time' ? 'time (RFC 3339)' : type
  return nullable === true ? `${base} or null` : base
}

function table(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [line(titles), line(titles.map(() => '---')), ...rows.map(line)].join('\n')
}

function code(text: string): string {
  return text === '' ? '' : `\`${text}\``
}
