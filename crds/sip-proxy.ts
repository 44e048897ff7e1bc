/**
 * The SipProxy resource: a pool of SIP proxies behind one or more anycast addresses (design section 3). Every range,
 * default, description and rule between fields is written here and in the parts that it imports, once; the CRD and
 * docs/api-reference.md are generated from the input side of these schemas.
 * Not here: what may claim which address, and what a spec may change into (operator). Invariant: a parsed spec has
 * all defaults applied, durations in milliseconds and addresses in canonical spelling, and nothing behind this edge
 * validates again.
 */
import { z } from 'zod'
import { hostName, ipAddress, uriHost } from './address.ts'
import { edgeSchema } from './edge.ts'
import { mappingSchema } from './mapping.ts'
import { probeSchema } from './probe.ts'
import { DNS_LABEL, port, proxiesSchema } from './proxies.ts'
import { allDistinct, withRules } from './rules.ts'
import { spelt } from './text.ts'

export const API_VERSION = 'sipcast.io/v1alpha1'
export const SIP_PROXY_KIND = 'SipProxy'
export const SIP_PROXY_NAME_LENGTH_MAX = 63

const OBJECT_NAME = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/

/** The name of an object, as the API server wants it. */
export function objectName(lengthMax: number) {
  return spelt({ pattern: OBJECT_NAME, spelling: 'a lower-case DNS name', lengthMax })
}

const addressesSchema = withRules(
  z.array(ipAddress()).min(1).max(16),
  [
    {
      cel: 'self.all(a, self.exists_one(b, isIP(a) && isIP(b) && ip(a) == ip(b)))',
      message: 'the same address is named twice',
      holds: (addresses) => allDistinct(addresses, (address) => address),
    },
  ],
  { 'x-kubernetes-list-type': 'set' },
)

export const sipProxySpecSchema = withRules(
  z.strictObject({
    addresses: addressesSchema.describe(
      'The shared (anycast) IPv4 and IPv6 addresses that phones talk to. Every node with a balancer holds them. They must lie in the address pools that the administrator allows for this namespace; an address and port belong to the oldest SipProxy that names them.',
    ),
    port: port.default(5060).describe('UDP port of the shared addresses.'),
    aliases: z
      .array(hostName())
      .max(32)
      .prefault([])
      .describe('Host names that mean the shared addresses where a Route header names them.'),
    domains: z
      .array(uriHost())
      .max(256)
      .prefault([])
      .describe(
        'Domains of the pool: hosts of Request-URIs that proxies may send back to be delivered by user. Empty: any.',
      ),
    proxies: proxiesSchema.describe(
      'Where the proxies of the pool come from: a selector of pods, a static list, or both.',
    ),
    probe: probeSchema
      .prefault({})
      .describe('How it is found out which proxies live: by OPTIONS over UDP.'),
    mapping: mappingSchema.prefault({}).describe('How users are mapped to proxies.'),
    edge: edgeSchema
      .prefault({})
      .describe('What balancers do to messages, whom they believe and whom they limit.'),
  }),
  [
    {
      cel: '!self.proxies.static.exists(p, p.port == self.port && isIP(p.address) && self.addresses.exists(a, isIP(a) && ip(a) == ip(p.address)))',
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
  name: objectName(SIP_PROXY_NAME_LENGTH_MAX),
  namespace: spelt({
    pattern: DNS_LABEL,
    spelling: 'a lower-case DNS label',
    lengthMax: 63,
  }).default('default'),
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

/** A SipProxy as the rest of sipcast sees it. */
export interface SipProxy {
  readonly namespace: string
  readonly name: string
  readonly annotations: Readonly<Record<string, string>>
  readonly spec: SipProxySpec
}
