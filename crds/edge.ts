/**
 * `spec.edge` of a SipProxy: what balancers do to messages, whom they believe and whom they limit. Not here: doing it
 * (dataplane).
 */
import { z } from 'zod'
import { cidr } from './address.ts'
import { spelt } from './text.ts'

export const InsideSource = { node: 'Node', shared: 'Shared' } as const
export type InsideSource = (typeof InsideSource)[keyof typeof InsideSource]

const RATE_MAX = 1_000_000

const rateLimitSchema = z.strictObject({
  perSource: z.int().min(1).max(RATE_MAX).describe('Packets per second of one source.'),
  burst: z
    .int()
    .min(1)
    .max(RATE_MAX)
    .describe('Packets that a source may send at once after a time of silence.'),
})

const userAgent = spelt({
  pattern: /^[ -~]+$/,
  spelling: 'printable ASCII',
  lengthMax: 128,
}).min(1)

export const edgeSchema = z
  .strictObject({
    path: z
      .boolean()
      .default(true)
      .describe(
        'Adds a Path header (RFC 3327) to REGISTER, so that calls to a phone come back through the shared address and its NAT binding. Switch it off only where proxies need none.',
      ),
    recordRoute: z
      .boolean()
      .default(true)
      .describe(
        'Adds a Record-Route header to requests that begin dialogs, so that the dialog stays with its proxy even if the user is moved.',
      ),
    insideSource: z
      .enum(InsideSource)
      .default(InsideSource.node)
      .describe(
        "The address that proxies see packets come from. `Node`: the node's own, which always works; calls that still ring are lost with their balancer unless the proxy answers to the Via. `Shared`: the shared address, so that any balancer gets the responses; needs `accept_local` on the nodes.",
      ),
    insideNetworks: z
      .array(cidr())
      .max(64)
      .prefault([])
      .describe(
        'Networks of the inside besides the proxies themselves and their nodes, such as media or application servers: their requests are believed like those of proxies.',
      ),
    trustedNetworks: z
      .array(cidr())
      .max(256)
      .prefault([])
      .describe(
        'Networks of the outside that are exempt from `rateLimit`: trunks, and carrier-grade NATs with many phones behind one address.',
      ),
    rateLimit: rateLimitSchema
      .optional()
      .describe(
        'Limit for each source address (IPv6: each /64); what is above it is dropped without an answer. Default: no limit.',
      ),
    denyUserAgents: z
      .array(userAgent)
      .max(64)
      .default([])
      .describe(
        'Requests whose User-Agent contains one of these texts, whatever the case, are dropped: scanners such as `friendly-scanner`.',
      ),
  })
  .transform(({ rateLimit, ...rest }) => ({ ...rest, rateLimit: rateLimit ?? null }))
