/**
 * From a zod schema's input side to the structural OpenAPI v3 schema of a CRD, and nothing lost on the way but what
 * the API server says by other means. Pure.
 * Not here: the object around it (custom-resource.ts). Invariant: a keyword that is not known here fails the
 * generation instead of being left out.
 */
import { z } from 'zod'

/** The part of JSON schema that CRDs have. */
export interface StructuralSchema {
  readonly description?: string
  readonly type: 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean'
  readonly format?: string
  /** What a text must be, in words; no keyword of CRDs (explained.ts). */
  readonly spelling?: string
  readonly nullable?: true
  readonly default?: unknown
  readonly enum?: readonly unknown[]
  readonly minimum?: number
  readonly maximum?: number
  readonly minLength?: number
  readonly maxLength?: number
  readonly pattern?: string
  readonly minItems?: number
  readonly maxItems?: number
  readonly maxProperties?: number
  readonly 'x-kubernetes-list-type'?: 'atomic' | 'set' | 'map'
  readonly 'x-kubernetes-list-map-keys'?: readonly string[]
  readonly 'x-kubernetes-map-type'?: 'atomic' | 'granular'
  readonly 'x-kubernetes-validations'?: readonly Validation[]
  readonly required?: readonly string[]
  readonly properties?: Readonly<Record<string, StructuralSchema>>
  readonly additionalProperties?: StructuralSchema
  readonly items?: StructuralSchema
}

export interface Validation {
  /** CEL. */
  readonly rule: string
  readonly message: string
  readonly fieldPath?: string
}

interface Options {
  /** A status is written whole by a program, so that what it leaves out shall not look as if it had said it. */
  readonly withDefaults: boolean
}

type Json = Readonly<Record<string, unknown>>

export function structuralSchema(schema: z.ZodType, options: Options): StructuralSchema {
  return structural(z.toJSONSchema(schema, { io: 'input' }) as Json, options)
}

function structural(json: Json, options: Options): StructuralSchema {
  const { anyOf, type, ...rest } = json
  if (anyOf !== undefined) return nullable(anyOf as readonly Json[], rest, options)
  if (Array.isArray(type))
    return nullable(
      type.map((one) => ({ type: one })),
      rest,
      options,
    )
  const node: Record<string, unknown> = {}
  for (const [keyword, value] of Object.entries(json)) {
    if (LEFT_OUT.has(keyword)) continue
    if (!KEYWORDS.includes(keyword)) throw new Error(`no CRD can say ${keyword}`)
    node[keyword] = value
  }
  Object.assign(node, ofNumbers(node), ofTimes(node), children(json, options))
  if (!options.withDefaults) delete node['default']
  if (node['type'] === 'array') node['x-kubernetes-list-type'] ??= 'atomic'
  return withWholeDefault(ordered(node))
}

/** The API server checks a default by the rules before it fills in the defaults of its fields. */
function withWholeDefault(schema: StructuralSchema): StructuralSchema {
  const { type, default: given, properties = {} } = schema
  if (type !== 'object' || given === undefined) return schema
  const ofFields = Object.entries(properties)
    .filter(([, field]) => field.default !== undefined)
    .map(([name, field]) => [name, field.default])
  return { ...schema, default: { ...Object.fromEntries(ofFields), ...(given as Json) } }
}

/** Of the JSON schema: fields that are not known are pruned, or refused by kubectl, without being asked to. */
const LEFT_OUT = new Set(['$schema', 'additionalProperties', 'propertyNames'])

/** In the order in which a person reads them. */
const KEYWORDS = [
  'description',
  'type',
  'format',
  'spelling',
  'nullable',
  'default',
  'enum',
  'minimum',
  'maximum',
  'minLength',
  'maxLength',
  'pattern',
  'minItems',
  'maxItems',
  'maxProperties',
  'x-kubernetes-list-type',
  'x-kubernetes-list-map-keys',
  'x-kubernetes-map-type',
  'x-kubernetes-validations',
  'required',
  'properties',
  'additionalProperties',
  'items',
]

function nullable(choices: readonly Json[], around: Json, options: Options): StructuralSchema {
  const [inner, ...others] = choices.filter(({ type }) => type !== 'null')
  const isChoice = others.length > 0 || choices.length !== 2
  if (inner === undefined || isChoice) throw new Error('no CRD can choose between types')
  const { default: _null, ...kept } = around
  return ordered({ ...structural({ ...inner, ...kept }, options), nullable: true })
}

/** Whole numbers are integers of a size; what zod adds to bound them says nothing. */
function ofNumbers({ type, enum: choices, minimum, maximum }: Json): Json {
  const isWhole = Array.isArray(choices) && choices.every(Number.isInteger)
  if (type !== 'integer' && !(type === 'number' && isWhole)) return {}
  const isSmall = isWhole || (typeof maximum === 'number' && maximum <= INT32_MAX)
  return {
    type: 'integer',
    format: isSmall ? 'int32' : 'int64',
    minimum: minimum === Number.MIN_SAFE_INTEGER ? undefined : minimum,
    maximum: maximum === Number.MAX_SAFE_INTEGER ? undefined : maximum,
  }
}

const INT32_MAX = 2 ** 31 - 1

/** The API server knows the format; zod spells it out besides. */
function ofTimes({ format }: Json): Json {
  return format === 'date-time' ? { pattern: undefined } : {}
}

function children({ properties, additionalProperties, items }: Json, options: Options): Json {
  const inner = (value: unknown) => structural(value as Json, options)
  return {
    properties: properties && mapValues(properties as Json, inner),
    additionalProperties:
      typeof additionalProperties === 'object' && Object.keys(additionalProperties ?? {}).length > 0
        ? inner(additionalProperties)
        : undefined,
    items: items && inner(items),
  }
}

function mapValues(object: Json, map: (value: unknown) => unknown): Json {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, map(value)]))
}

function ordered(node: Json): StructuralSchema {
  const known = KEYWORDS.filter((keyword) => node[keyword] !== undefined)
  return Object.fromEntries(known.map((key) => [key, node[key]])) as unknown as StructuralSchema
}
