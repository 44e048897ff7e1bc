/**
 * Specs of SipProxies at random: texts near the borders of what addresses, networks, durations, hosts, labels and URIs
 * are, one field at a time. Not here: what is expected of them (crds.test.ts).
 */
import fc from 'fast-check'
import { type Change, proxy } from './crds-specs.ts'

const ADDRESSES = ['192.0.2.1', '127.1', '0.0.0.0', '239.1.1.1', '240.0.0.1', '::1', '::']
const ADDRESSES_OF_IPV6 = [
  '2001:db8::1',
  'fec0::1',
  'febf::1',
  '1:2:3:4:5:6:7::',
  '::1.2.3.4',
  '::ffff:1.2.3.4',
]
const NETWORKS = ['10.0.0.0/8', '10.0.0.1/32', '2001:db8::/32', '::/0', '2001:db8::/128']
const HOSTS = ['sip.example.com', 'a', '_sip', '192.0.2.1', 'a.b.', 'xn--a']
const DOMAINS = ['example.com', '[2001:db8::1]', '2001:db8::1', '192.0.2.1', '[192.0.2.1]']
const DURATIONS = ['500ms', '1s', '1.5s', '0.5m', '400ms', '60s', '60000ms', '1m', '0.01h']
const URIS = ['sip:a@b', 'sips:b;c=d?e', 'sip:[2001:db8::1]:5060']

const address = near([...ADDRESSES, ...ADDRESSES_OF_IPV6], '0129.:afF/%[]')
const label = fc.tuple(
  near(['app', 'example.com/app'], 'aZ0-_./'),
  near(['a', '', 'a.b_c-D'], 'aZ0-_.'),
)
const probe = (field: string, value: fc.Arbitrary<unknown>) =>
  value.map((chosen) => ({ probe: { [field]: chosen } }))

export const changes: fc.Arbitrary<Change> = fc.oneof(
  fc.array(address, { minLength: 1, maxLength: 3 }).map((addresses) => ({ addresses })),
  near(HOSTS, 'aZ0-_.: ').map((alias) => ({ aliases: [alias] })),
  near(DOMAINS, 'a0-_.:[] ').map((domain) => ({ domains: [domain] })),
  near(NETWORKS, '0129.:/f').map((network) => ({ edge: { trustedNetworks: [network] } })),
  near(DURATIONS, '0159.hms ').map((interval) => ({ probe: { interval } })),
  probe('timeout', near(['50ms', '400ms', '10ms', '0.01s', '500ms'], '0159.hms ')),
  probe('requestUri', near(URIS, 'ab:;?<>"@ \u00e9')),
  probe(
    'acceptedCodes',
    near(['2xx', '200', '699'], '01267x').map((code) => [code]),
  ),
  near(['a', 'registrar-0'], 'aZ0-.').map((name) => ({
    proxies: { static: [{ ...proxy, name }] },
  })),
  address.map((own) => ({ proxies: { static: [{ ...proxy, address: own }] } })),
  label.map(([key, value]) => ({ proxies: { selector: { matchLabels: { [key]: value } } } })),
  label.map(([key, value]) => ({
    proxies: { selector: { matchExpressions: [{ key, operator: 'In', values: [value] }] } },
  })),
)

/** One of the texts, often as it is, else with one character replaced, put in or taken out. */
function near(texts: readonly string[], alphabet: string): fc.Arbitrary<string> {
  const edit = fc.tuple(
    fc.constantFrom(...texts),
    fc.nat(),
    fc.constantFrom(...alphabet),
    fc.constantFrom('none', 'replace', 'insert', 'delete'),
  )
  return edit.map(([text, where, character, kind]) => {
    if (kind === 'none') return text
    const at = where % (text.length + 1)
    const put = kind === 'delete' ? '' : character
    return text.slice(0, at) + put + text.slice(kind === 'insert' ? at : at + 1)
  })
}
