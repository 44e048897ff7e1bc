import { expect, test } from 'vitest'
import { describeProblems, parseSipProxy } from './mod.ts'

const minimal = {
  apiVersion: 'sipcast.io/v1alpha1',
  kind: 'SipProxy',
  metadata: { name: 'voice' },
  spec: {
    addresses: ['203.0.113.10'],
    proxies: { static: [{ name: 'registrar-0', address: '192.0.2.1' }] },
  },
}

function withSpec(spec: Record<string, unknown>): unknown {
  return { ...minimal, spec: { ...minimal.spec, ...spec } }
}

function problemsOf(object: unknown): string {
  const parsed = parseSipProxy(object)
  return parsed.ok ? '' : describeProblems(parsed.problems)
}

test('the smallest SipProxy gets every default of the design', () => {
  const parsed = parseSipProxy(minimal)
  expect(parsed).toEqual({
    ok: true,
    sipProxy: {
      namespace: 'default',
      name: 'voice',
      annotations: {},
      spec: {
        addresses: ['203.0.113.10'],
        port: 5060,
        aliases: [],
        domains: [],
        proxies: {
          port: 5060,
          static: [
            { name: 'registrar-0', address: '192.0.2.1', port: 5060, weight: 1, drain: false },
          ],
        },
        probe: {
          intervalMs: 500,
          timeoutMs: 400,
          fall: 2,
          rise: 3,
          acceptedCodes: ['2xx', '404', '405', '483'],
          requestUri: null,
          from: null,
        },
        mapping: {
          slots: 4096,
          key: 'User',
          seed: null,
          panicPercent: 50,
          handBack: { policy: 'Auto', afterMs: 30_000, maxMovedPercent: 10, perMs: 10_000 },
        },
        edge: {
          path: true,
          recordRoute: true,
          insideSource: 'Node',
          insideNetworks: [],
          trustedNetworks: [],
          rateLimit: null,
          denyUserAgents: [],
        },
      },
    },
  })
})

const staticProxy = { name: 'a', address: '192.0.2.1' }

test.each([
  ['nothing', null, 'must be of type object, is null'],
  ['no spec', { ...minimal, spec: undefined }, 'spec: is missing'],
  ['another kind', { ...minimal, kind: 'Service' }, 'kind: must be SipProxy, is "Service"'],
  [
    'a name too long',
    { ...minimal, metadata: { name: 'x'.repeat(64) } },
    'metadata.name: must have at most 63 characters',
  ],
  ['no address', withSpec({ addresses: [] }), 'spec.addresses: must have at least 1 entry'],
  [
    'a host name as address',
    withSpec({ addresses: ['sip.example.com'] }),
    'spec.addresses[0]: must be an IPv4 or IPv6 address, is "sip.example.com"',
  ],
  [
    'multicast',
    withSpec({ addresses: ['224.0.1.75'] }),
    'spec.addresses[0]: must not be an unspecified, multicast, broadcast, reserved or IPv6 link-local address, is "224.0.1.75"',
  ],
  [
    'one address in two spellings',
    withSpec({ addresses: ['2001:db8::1', '2001:DB8:0::1'] }),
    'spec.addresses: the same address is named twice',
  ],
  ['a port too large', withSpec({ port: 70000 }), 'spec.port: must be at most 65535, is 70000'],
  [
    'a weight of zero',
    withSpec({ proxies: { static: [{ ...staticProxy, weight: 0 }] } }),
    'spec.proxies.static[0].weight: must be at least 1, is 0',
  ],
  [
    'no proxies at all',
    withSpec({ proxies: {} }),
    'spec.proxies: needs at least one source of proxies: a selector, or entries in static',
  ],
  [
    'two proxies of one name',
    withSpec({ proxies: { static: [staticProxy, { ...staticProxy, port: 5070 }] } }),
    'spec.proxies.static: two proxies have the same name',
  ],
  [
    'two proxies at one endpoint',
    withSpec({ proxies: { static: [staticProxy, { ...staticProxy, name: 'b' }] } }),
    'spec.proxies.static: two proxies have the same address and port',
  ],
  [
    'a proxy at our own address',
    withSpec({ proxies: { static: [{ name: 'a', address: '203.0.113.10' }] } }),
    "spec.proxies.static: a proxy cannot be at one of the SipProxy's own addresses and port",
  ],
  [
    'a misspelt field',
    withSpec({ probe: { intervall: '1s' } }),
    'spec.probe.intervall: is not a known field',
  ],
  [
    'a duration without unit',
    withSpec({ probe: { interval: '500' } }),
    'spec.probe.interval: must be a duration such as "500ms", "2s" or "1m30s", is "500"',
  ],
  [
    'a duration out of range',
    withSpec({ probe: { interval: '1ms' } }),
    'spec.probe.interval: must be from 50ms to 60s, is "1ms"',
  ],
  [
    'a timeout longer than the interval',
    withSpec({ probe: { interval: '300ms' } }),
    'spec.probe.timeout: must not be longer than interval',
  ],
  [
    'a slot count that is no power of two',
    withSpec({ mapping: { slots: 5000 } }),
    'spec.mapping.slots: must be a power of two from 64 to 65536, is 5000',
  ],
  [
    'an unknown key',
    withSpec({ mapping: { key: 'Host' } }),
    'spec.mapping.key: must be User or UserAndHost or CallId, is "Host"',
  ],
  [
    'a network without prefix',
    withSpec({ edge: { insideNetworks: ['10.0.0.0'] } }),
    'spec.edge.insideNetworks[0]: must be a network such as 10.0.0.0/8 or 2001:db8::/32, is "10.0.0.0"',
  ],
  [
    'half a rate limit',
    withSpec({ edge: { rateLimit: { perSource: 10 } } }),
    'spec.edge.rateLimit.burst: is missing',
  ],
])('%s is refused, naming the field and why', (_sentence, object, problems) => {
  expect(problemsOf(object)).toContain(problems)
})

test('addresses and hosts come out in one spelling', () => {
  const parsed = parseSipProxy(
    withSpec({
      addresses: ['2001:DB8:0:0::1'],
      aliases: ['SIP.Example.COM.'],
      domains: ['[2001:DB8::2]', 'Example.com'],
      edge: { trustedNetworks: ['2001:DB8:0::/32'] },
    }),
  )
  expect(parsed.ok && parsed.sipProxy.spec).toMatchObject({
    addresses: ['2001:db8::1'],
    aliases: ['sip.example.com'],
    domains: ['2001:db8::2', 'example.com'],
    edge: { trustedNetworks: ['2001:db8::/32'] },
  })
})
