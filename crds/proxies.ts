/**
 * `spec.proxies` of a SipProxy: where the members of the pool come from. Not here: which of them are eligible, and the
 * weight and drain annotations of pods (operator).
 */
import { z } from 'zod'
import { ipAddress } from './address.ts'
import { labelSelectorSchema } from './label.ts'
import { allDistinct, withRules } from './rules.ts'
import { spelt } from './text.ts'

const STATIC_MAX = 1024
const NAME_LENGTH_MAX = 63
const WEIGHT_MAX = 1000

/** A lower-case DNS label. */
export const DNS_LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/

export const port = z.int().min(1).max(65535)

const staticProxySchema = z.strictObject({
  name: spelt({
    pattern: DNS_LABEL,
    spelling: 'a lower-case DNS label such as "registrar-0"',
    lengthMax: NAME_LENGTH_MAX,
  }).describe(
    'Name of the proxy, unique in the list. Users are mapped by it: a proxy that changes its address but keeps its name keeps its users.',
  ),
  address: ipAddress().describe('IPv4 or IPv6 address of the proxy. Host names are not resolved.'),
  port: port.default(5060).describe('UDP port of the proxy.'),
  weight: z
    .int()
    .min(1)
    .max(WEIGHT_MAX)
    .default(1)
    .describe(
      'Share of the users relative to the other proxies: twice the weight, twice the users.',
    ),
  drain: z
    .boolean()
    .default(false)
    .describe(
      'True: the proxy gives its users away in steps (`spec.mapping.handBack`) and gets no new ones; calls in progress stay with it. Pods have the annotation `sipcast.io/drain: "true"` for this.',
    ),
})

const staticProxiesSchema = withRules(
  z.array(staticProxySchema).max(STATIC_MAX).prefault([]),
  [
    {
      // The list type says so to the API server.
      cel: null,
      message: 'two proxies have the same name',
      holds: (proxies) => allDistinct(proxies, ({ name }) => name),
    },
    {
      // A comparison of all with all is above the cost limit.
      cel: null,
      message: 'two proxies have the same address and port',
      holds: (proxies) => allDistinct(proxies, (proxy) => `${proxy.address} ${proxy.port}`),
    },
  ],
  { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] },
)

export const proxiesSchema = withRules(
  z.strictObject({
    selector: labelSelectorSchema
      .optional()
      .describe(
        'Selects pods of the same namespace by their labels. Their weight is the annotation `sipcast.io/weight` (1 to 1000, default 1); `sipcast.io/drain: "true"` takes one out of service in steps.',
      ),
    port: port.default(5060).describe('UDP port of the SIP proxy in the selected pods.'),
    static: staticProxiesSchema.describe(
      'Proxies outside the cluster, or ones that no selector can find. No two may have the same name, nor the same address and port.',
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
