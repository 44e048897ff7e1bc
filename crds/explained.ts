/**
 * Schemas in words: which values are allowed, and what counts where there is none. `kubectl explain` shows neither
 * ranges nor defaults, so that in a CRD the descriptions say them. Pure. Not here: Markdown (reference.ts).
 */
import type { StructuralSchema } from './structural.ts'

/** The schema as a CRD has it, with every description telling the whole. */
export function explained(schema: StructuralSchema): StructuralSchema {
  return asWritten(schema, explanation)
}

/** The schema as a CRD has it, of what programs write: their limits help nobody who reads it. */
export function described(schema: StructuralSchema): StructuralSchema {
  return asWritten(schema, ({ description }) => description)
}

type Describe = (schema: StructuralSchema) => string | undefined

function asWritten(schema: StructuralSchema, describe: Describe): StructuralSchema {
  const { spelling: _, description: __, properties, additionalProperties, items, ...rest } = schema
  const description = describe(schema)
  const inner = (child: StructuralSchema) => asWritten(child, describe)
  return {
    ...(description !== undefined && { description }),
    ...rest,
    ...(properties && { properties: mapFields(properties, inner) }),
    ...(additionalProperties && { additionalProperties: inner(additionalProperties) }),
    ...(items && { items: inner(items) }),
  }
}

/** What values are allowed: `1 to 65535`, `at most 16, each an IPv4 or IPv6 address`; empty where any is. */
export function allowedText(schema: StructuralSchema): string {
  const { type, enum: choices, spelling, items, additionalProperties } = schema
  if (choices !== undefined) return choices.map((choice) => `\`${String(choice)}\``).join(', ')
  if (spelling !== undefined) return spelling
  const inner = items ?? additionalProperties
  const each = inner === undefined ? '' : allowedText(inner)
  return [
    type === 'integer' || type === 'number' ? between(schema.minimum, schema.maximum) : '',
    between(schema.minItems, schema.maxItems),
    between(undefined, schema.maxProperties),
    type === 'string' && schema.maxLength !== undefined
      ? `at most ${schema.maxLength} characters`
      : '',
    each === '' ? '' : `each ${each}`,
  ]
    .filter((part) => part !== '')
    .join(', ')
}

/** Scalars and lists with something in them; the default of an object is that of its fields. */
export function defaultText({ type, default: given }: StructuralSchema): string {
  if (given === undefined || type === 'object') return ''
  return [given].flat().map(String).join(', ')
}

function mapFields(
  fields: Readonly<Record<string, StructuralSchema>>,
  map: (field: StructuralSchema) => StructuralSchema,
) {
  return Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, map(field)]))
}

function explanation(schema: StructuralSchema): string | undefined {
  const { description, enum: choices } = schema
  if (description === undefined) return undefined
  const isTold = choices !== undefined || schema.format === 'date-time'
  const [allowed, standard] = [isTold ? '' : allowedText(schema), defaultText(schema)]
  return [
    description,
    allowed === '' ? '' : `Allowed: ${allowed}.`,
    standard === '' ? '' : `Default: ${standard}.`,
  ]
    .filter((part) => part !== '')
    .join(' ')
}

function between(min: number | undefined, max: number | undefined): string {
  if (min !== undefined && max !== undefined) return `${min} to ${max}`
  if (min !== undefined) return `at least ${min}`
  return max === undefined ? '' : `at most ${max}`
}
