import type { LabelSelector } from '@sipcast/crds'
import { expect, test } from 'vitest'
import { matches, requiredLabel } from './label-selector.ts'

const labels = { app: 'registrar', tier: 'core' }
const expression = (
  key: string,
  operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist',
  values?: string[],
) =>
  ({
    matchExpressions: [{ key, operator, ...(values === undefined ? {} : { values }) }],
  }) satisfies LabelSelector

test.each<[string, LabelSelector, boolean]>([
  ['nothing asked', {}, true],
  ['a label', { matchLabels: { app: 'registrar' } }, true],
  ['another value', { matchLabels: { app: 'proxy' } }, false],
  ['a label that is missing', { matchLabels: { zone: 'a' } }, false],
  ['a name every object has', { matchLabels: { constructor: 'x' } }, false],
  ['In', expression('app', 'In', ['proxy', 'registrar']), true],
  ['In, not among them', expression('app', 'In', ['proxy']), false],
  ['In, missing', expression('zone', 'In', ['a']), false],
  ['NotIn', expression('app', 'NotIn', ['proxy']), true],
  ['NotIn, among them', expression('app', 'NotIn', ['registrar']), false],
  ['NotIn, missing', expression('zone', 'NotIn', ['a']), true],
  ['Exists', expression('tier', 'Exists'), true],
  ['Exists, missing', expression('toString', 'Exists'), false],
  ['DoesNotExist', expression('zone', 'DoesNotExist'), true],
  ['DoesNotExist, there', expression('tier', 'DoesNotExist'), false],
  [
    'one of two',
    { matchLabels: { app: 'registrar' }, ...expression('tier', 'In', ['edge']) },
    false,
  ],
])('%s', (_, selector, expected) => {
  expect(matches(selector, labels)).toBe(expected)
})

test('a label that every match has is found, if there is one', () => {
  expect(requiredLabel({ matchLabels: { app: 'registrar' } })).toBe('app=registrar')
  expect(requiredLabel(expression('app', 'In', ['registrar']))).toBe('app=registrar')
  expect(requiredLabel(expression('app', 'In', ['registrar', 'proxy']))).toBeNull()
  expect(requiredLabel({})).toBeNull()
})
