/**
 * Kubernetes labels and selectors, as the API server itself checks them on pods and nodes: a selector that could
 * never match anything is refused here instead of matching nothing in silence. Not here: matching.
 */
import { z } from 'zod'
import { withRules } from './rules.ts'
import { celPattern, spelt } from './text.ts'

const LABELS_MAX = 32
const VALUES_MAX = 64
const KEY_LENGTH_MAX = 317
const VALUE_LENGTH_MAX = 63
const DNS_NAME = '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*'
const NAME = '[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?'
const KEY = new RegExp(`^(${DNS_NAME}/)?${NAME}$`)
const VALUE = new RegExp(`^(${NAME})?$`)

const LABEL_KEY = 'a label key such as "app" or "example.com/role"'

const key = spelt({ pattern: KEY, spelling: LABEL_KEY, lengthMax: KEY_LENGTH_MAX })
const value = spelt({ pattern: VALUE, spelling: 'a label value', lengthMax: VALUE_LENGTH_MAX })

/** Labels that all must be there with these values. */
export function labels() {
  return withRules(
    z.record(z.string(), value),
    [
      {
        cel: `self.all(key, size(key) <= ${KEY_LENGTH_MAX} && key.matches(${celPattern(KEY)}))`,
        message: `every key must be ${LABEL_KEY}`,
        holds: (all) =>
          Object.keys(all).every((name) => name.length <= KEY_LENGTH_MAX && KEY.test(name)),
      },
      {
        cel: null,
        message: `must have at most ${LABELS_MAX} entries`,
        holds: (all) => Object.keys(all).length <= LABELS_MAX,
      },
    ],
    { maxProperties: LABELS_MAX },
  )
}

const requirementSchema = withRules(
  z.strictObject({
    key: key.describe('Key of the label.'),
    operator: z
      .enum(['In', 'NotIn', 'Exists', 'DoesNotExist'])
      .describe('How the label is compared with `values`.'),
    values: z
      .array(value)
      .max(VALUES_MAX)
      .optional()
      .describe('For `In` and `NotIn`: at least one value. For `Exists` and `DoesNotExist`: none.'),
  }),
  [
    {
      cel: "(self.operator in ['In', 'NotIn']) == (has(self.values) && size(self.values) > 0)",
      message: 'In and NotIn need values, Exists and DoesNotExist must have none',
      holds: ({ operator, values = [] }) => operator.endsWith('In') === values.length > 0,
      path: ['values'],
    },
  ],
)

export const labelSelectorSchema = z
  .strictObject({
    matchLabels: labels().optional().describe('Labels a pod must have, with these values.'),
    matchExpressions: z
      .array(requirementSchema)
      .max(LABELS_MAX)
      .optional()
      .describe('Requirements on labels; a pod must meet all of them.'),
  })
  .meta({ 'x-kubernetes-map-type': 'atomic' })

export type LabelSelector = z.output<typeof labelSelectorSchema>
