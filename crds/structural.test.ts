import { expect, test } from 'vitest'
import { z } from 'zod'
import { explained } from './explained.ts'
import { structuralSchema } from './structural.ts'

const withDefaults = { withDefaults: true }

test('what zod and CRDs say in different ways', () => {
  const schema = z.strictObject({
    size: z.int().min(0).describe('Size.'),
    small: z.int().min(1).max(9).default(3).describe('Small.'),
    choice: z.literal([1, 2]),
    time: z.iso.datetime(),
    maybe: z.string().max(9).nullable().default(null),
    any: z.number().nullable(),
    list: z.array(z.string().max(9)).max(2),
  })
  expect(structuralSchema(schema, withDefaults)).toEqual({
    type: 'object',
    required: ['size', 'choice', 'time', 'any', 'list'],
    properties: {
      size: { description: 'Size.', type: 'integer', format: 'int64', minimum: 0 },
      small: {
        description: 'Small.',
        type: 'integer',
        format: 'int32',
        default: 3,
        minimum: 1,
        maximum: 9,
      },
      choice: { type: 'integer', format: 'int32', enum: [1, 2] },
      time: { type: 'string', format: 'date-time' },
      maybe: { type: 'string', nullable: true, maxLength: 9 },
      any: { type: 'number', nullable: true },
      list: {
        type: 'array',
        maxItems: 2,
        'x-kubernetes-list-type': 'atomic',
        items: { type: 'string', maxLength: 9 },
      },
    },
  })
})

test('the default of an object has those of its fields, and its own', () => {
  const inner = z.strictObject({ a: z.boolean().default(true), b: z.int().max(9).default(1) })
  expect(structuralSchema(inner.prefault({ b: 2 }), withDefaults).default).toEqual({
    a: true,
    b: 2,
  })
  expect(structuralSchema(inner.prefault({}), { withDefaults: false }).default).toBeUndefined()
})

test('what no CRD can say stops the generation', () => {
  expect(() => structuralSchema(z.tuple([z.int()]), withDefaults)).toThrow('prefixItems')
  const either = z.union([z.string(), z.boolean()])
  expect(() => structuralSchema(either, withDefaults)).toThrow('choose between types')
})

test('a description tells range and default, which kubectl explain leaves out', () => {
  const schema = z.int().min(1).max(9).default(3).describe('How many.')
  expect(explained(structuralSchema(schema, withDefaults)).description).toBe(
    'How many. Allowed: 1 to 9. Default: 3.',
  )
})
