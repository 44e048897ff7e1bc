/**
 * The SipProxy resource: a pool of SIP proxies behind one or more anycast addresses (design section 3). Every range,
 * default and rule between fields is written here once; the CRD YAML is generated from the input side of these
 * schemas.
 * Not here: what may claim which address, and what a spec may change into (operator). Invariant: a parsed spec has
 * all defaults applied, durations in milliseconds and addresses in canonical spelling, and nothing behind this edge
 * validates again.
 */
import { z } from 'zod'
import { cidr, hostName, ipAddress, uriHost } from './address.ts'
import { duration } from './duration.ts'
import { allDistinct, transitionRule, withRules } from './rules.ts'

export const API_VERSION = 'sipcast.io/v1alpha1'
export const SIP_PROXY_KIND = 'SipProxy'

export const MappingKey = {
  user: 'User',
  userAndHost: 'UserAndHost',
  callId: 'CallId',
} as const
export type MappingKey = (typeof MappingKey)[keyof typeof MappingKey]

export const HandBackPolicy = { auto: 'Auto', manual: 'Manual' } as const
export type HandBackPolicy = (typeof HandBackPolicy)[keyof typeof HandBackPolicy]

export const InsideSource = { node: 'Node', shared: 'Shared' } as const
export type InsideSource = (typeof InsideSource)[keyof typeof InsideSource]

const SLOT_COUNTS = [64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768, 65536] as const
const LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/

const port = z.int().min(1).max(65535)

const staticProxySchema = z.strictObject({
  name: z
    .string()
    .max(63)
    .regex(LABEL, { error: 'must be a lower-case DNS label such as "registrar-0"' }),
  address: ipAddress(),
  port: port.default(5060),
  weight: z.int().min(1).max(1000).default(1),
  /**
   * Takes no new users and gives its slots away within the hand-back budget; pods have the annotation
   * sipcast.io/drain for this.
   */
  drain: z.boolean().default(false),
})

const label = z.string().max(317)
const selectorSchema = z.strictObject({
  matchLabels: z.record(label, z.string().max(63)).optional(),
  matchExpressions: z
    .array(
      z.strictObject({
        key: label,
        operator: z.enum(['In', 'NotIn', 'Exists', 'DoesNotExist']),
        values: z.array(z.string().max(63)).max(64).optional(),
      }),
    )
    .max(32)
    .optional(),
})

const proxiesSchema = withRules(
  z.strictObject({
    selector: selectorSchema.optional(),
    port: port.default(5060),
    static: withRules(
      z.array(staticProxySchema).max(1024).default([]),
      [
        {
          cel: null,
          message: 'two proxies have the same name',
          holds: (proxies) => allDistinct(proxies, ({ name }) => name),
        },
        {
          cel: null,
          message: 'two proxies have the same address and port',
          holds: (proxies) => allDistinct(proxies, (proxy) => `${proxy.address} ${proxy.port}`),
        },
      ],
      { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] },
    ),
  }),
  [
    {
      cel: 'has(self.selector) || size(self.static) > 0',
      message: 'needs at least one source of proxies: a selector, or entries in static',
      holds: (proxies) => proxies.selector !== undefined || proxies.static.length > 0,
    },
  ],
)

const sipUri = z
  .string()
  .max(255)
  .regex(/^sips?:[!#-;=?-~]+$/, { error: 'must be a SIP URI such as "sip:probe@example.com"' })

const probeSchema = withRules(
  z.strictObject({
    interval: duration('50ms', '60s').prefault('500ms'),
    timeout: duration('10ms', '60s').prefault('400ms'),
    fall: z.int().min(1).max(100).default(2),
    rise: z.int().min(1).max(100).default(3),
    acceptedCodes: z
      .array(
        z.string().regex(/^[2-6]([0-9]{2}|xx)$/, {
          error: 'must be a status code such as "404" or a class such as "2xx"',
        }),
      )
      .min(1)
      .max(32)
      .default(['2xx', '404', '405', '483']),
    requestUri: sipUri.optional(),
    from: sipUri.optional(),
  }),
  [
    {
      cel: 'duration(self.timeout) <= duration(self.interval)',
      message: 'must not be longer than interval',
      holds: (probe) => probe.timeout <= probe.interval,
      path: ['timeout'],
    },
  ],
).transform(({ interval, timeout, requestUri, from, ...rest }) => ({
  ...rest,
  intervalMs: interval,
  timeoutMs: timeout,
  requestUri: requestUri ?? null,
  from: from ?? null,
}))

const handBackSchema = z
  .strictObject({
    policy: z.enum(HandBackPolicy).default(HandBackPolicy.auto),
    after: duration('0s', '24h').prefault('30s'),
    maxMovedPercent: z.int().min(1).max(100).default(10),
    per: duration('1s', '1h').prefault('10s'),
  })
  .transform(({ policy, after, maxMovedPercent, per }) => ({
    policy,
    afterMs: after,
    maxMovedPercent,
    perMs: per,
  }))

const mappingSchema = z
  .strictObject({
    slots: z
      .literal(SLOT_COUNTS, { error: 'must be a power of two from 64 to 65536' })
      .default(4096)
      .meta(transitionRule('self == oldSelf', 'cannot be changed: make a new SipProxy instead')),
    key: z.enum(MappingKey).default(MappingKey.user),
    seed: z
      .string()
      .regex(/^[0-9A-Fa-f]{64}$/, { error: 'must be 64 hexadecimal digits' })
      .transform((text) => text.toLowerCase())
      .optional(),
    panicPercent: z.int().min(0).max(100).default(50),
    handBack: handBackSchema.prefault({}),
  })
  .transform(({ seed, ...rest }) => ({ ...rest, seed: seed ?? null }))

const edgeSchema = z
  .strictObject({
    path: z.boolean().default(true),
    recordRoute: z.boolean().default(true),
    insideSource: z.enum(InsideSource).default(InsideSource.node),
    insideNetworks: z.array(cidr()).max(64).default([]),
    trustedNetworks: z.array(cidr()).max(256).default([]),
    rateLimit: z
      .strictObject({
        perSource: z.int().min(1).max(1_000_000),
        burst: z.int().min(1).max(1_000_000),
      })
      .optional(),
    denyUserAgents: z
      .array(
        z
          .string()
          .min(1)
          .max(128)
          .regex(/^[ -~]+$/, { error: 'must be printable ASCII' }),
      )
      .max(64)
      .default([]),
  })
  .transform(({ rateLimit, ...rest }) => ({ ...rest, rateLimit: rateLimit ?? null }))

export const sipProxySpecSchema = withRules(
  z.strictObject({
    addresses: withRules(
      z.array(ipAddress()).min(1).max(16),
      [
        {
          cel: 'self.all(a, self.exists_one(b, isIP(a) && isIP(b) && ip(a) == ip(b)))',
          message: 'the same address is named twice',
          holds: (addresses) => allDistinct(addresses, (address) => address),
        },
      ],
      { 'x-kubernetes-list-type': 'set' },
    ),
    port: port.default(5060),
    aliases: z.array(hostName()).max(32).default([]),
    domains: z.array(uriHost()).max(256).default([]),
    proxies: proxiesSchema,
    probe: probeSchema.prefault({}),
    mapping: mappingSchema.prefault({}),
    edge: edgeSchema.prefault({}),
  }),
  [
    {
      cel: '!self.proxies.static.exists(p, p.port == self.port && self.addresses.exists(a, a == p.address))',
      message: "a proxy cannot be at one of the SipProxy's own addresses and port",
      holds: ({ addresses, port: ownPort, proxies }) =>
        !proxies.static.some(
          (proxy) => proxy.port === ownPort && addresses.includes(proxy.address),
        ),
      path: ['proxies', 'static'],
    },
  ],
)

/**
 * What `kubectl get -o yaml` may bring along besides the name is ignored in directory mode, so only its shape is
 * looked at.
 */
const metadataSchema = z.looseObject({
  name: z
    .string()
    .min(1)
    .max(63)
    .regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/, { error: 'must be a lower-case DNS name' }),
  namespace: z
    .string()
    .max(63)
    .regex(LABEL, { error: 'must be a lower-case DNS label' })
    .default('default'),
  uid: z.string().optional(),
  generation: z.number().optional(),
  creationTimestamp: z.string().nullish(),
  annotations: z.record(z.string(), z.string()).nullish(),
})

export const sipProxySchema = z.looseObject({
  apiVersion: z.literal(API_VERSION),
  kind: z.literal(SIP_PROXY_KIND),
  metadata: metadataSchema,
  spec: sipProxySpecSchema,
})

export type SipProxySpec = z.output<typeof sipProxySpecSchema>
export type StaticProxy = SipProxySpec['proxies']['static'][number]
export type LabelSelector = z.output<typeof selectorSchema>

/** A SipProxy as the rest of sipcast sees it. */
export interface SipProxy {
  readonly namespace: string
  readonly name: string
  readonly annotations: Readonly<Record<string, string>>
  readonly spec: SipProxySpec
}
