/**
 * `spec.mapping` of a SipProxy: how users are mapped to proxies. Not here: the mapping itself (packages/mapping), and
 * what a spec may change into (operator).
 */
import { z } from 'zod'
import { duration } from './duration.ts'
import { transitionRule } from './rules.ts'
import { spelt } from './text.ts'

export const MappingKey = {
  user: 'User',
  userAndHost: 'UserAndHost',
  callId: 'CallId',
} as const
export type MappingKey = (typeof MappingKey)[keyof typeof MappingKey]

export const HandBackPolicy = { auto: 'Auto', manual: 'Manual' } as const
export type HandBackPolicy = (typeof HandBackPolicy)[keyof typeof HandBackPolicy]

const SLOT_COUNTS = [64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768, 65536] as const
const SEED_LENGTH = 64

const handBackSchema = z
  .strictObject({
    policy: z
      .enum(HandBackPolicy)
      .default(HandBackPolicy.auto)
      .describe(
        '`Auto`: a proxy gets its users back when it has been up for `after`. `Manual`: when the annotation `sipcast.io/hand-back` of the SipProxy is set to a time later than its return.',
      ),
    after: duration('0s', '24h')
      .prefault('30s')
      .describe('How long a proxy must have been up before users are moved to it.'),
    maxMovedPercent: z
      .int()
      .min(1)
      .max(100)
      .default(10)
      .describe('Most slots, in percent of all, that are moved on purpose within `per`.'),
    per: duration('1s', '1h')
      .prefault('10s')
      .describe('The time that `maxMovedPercent` counts for.'),
  })
  .transform(({ policy, after, maxMovedPercent, per }) => ({
    policy,
    afterMs: after,
    maxMovedPercent,
    perMs: per,
  }))

export const mappingSchema = z
  .strictObject({
    slots: z
      .literal(SLOT_COUNTS, { error: 'must be a power of two from 64 to 65536' })
      .default(4096)
      .meta(transitionRule('self == oldSelf', 'cannot be changed: make a new SipProxy instead'))
      .describe(
        'Number of hash buckets that users are put into: a power of two from 64 to 65536. At least 100 per proxy spread them evenly. Cannot be changed later, since that would move nearly every user.',
      ),
    key: z
      .enum(MappingKey)
      .default(MappingKey.user)
      .describe(
        'What decides which proxy a request goes to. `User`: the user part of the To URI of a REGISTER, of the Request-URI of anything else. `UserAndHost`: user and host of it. `CallId`: the Call-ID, for pools without registrations.',
      ),
    seed: spelt({
      pattern: /^[0-9A-Fa-f]{64}$/,
      spelling: '64 hexadecimal digits',
      lengthMax: SEED_LENGTH,
    })
      .transform((text) => text.toLowerCase())
      .optional()
      .describe(
        'Seed of the hash. Default: SHA-256 of `namespace/name`. A secret one keeps strangers from choosing user names that all fall to one proxy; changing it moves nearly every user.',
      ),
    panicPercent: z
      .int()
      .min(0)
      .max(100)
      .default(50)
      .describe(
        'If more than this share of the pool, in percent, stops answering at once, the network of the prober is the likelier culprit: nobody is moved until the balancers confirm it. 100 switches this off.',
      ),
    handBack: handBackSchema
      .prefault({})
      .describe(
        'The pace at which users are moved on purpose: back to a proxy that returned, to one that is new, away from one that drains. Failures and deleted pods are never slowed down.',
      ),
  })
  .transform(({ seed, ...rest }) => ({ ...rest, seed: seed ?? null }))
