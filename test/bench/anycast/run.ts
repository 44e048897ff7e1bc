/**
 * Anycast under live traffic (design sections 5.7 and 8): every fault so many times, at one node after the other; then
 * 10 000 calls while routers rehash; then INVITEs in fragments.
 *
 *   npm run bench -- anycast [ROUNDS] [--fault NAME]... [--inside-source Node|Shared] [--calls N] [--fragments N]
 *
 * The proxies answer to the Via where it names a shared address, as examples/kamailio does. Needs root, BIRD, Kamailio,
 * SIPp and tcpdump. Exits 1 where something is lost that must not be, or a 99th percentile is above its target.
 */
import process from 'node:process'
import { parseArgs } from 'node:util'
import { AnycastSystem, faultOf, faults } from '@sipcast/lab'
import { measureFaults } from './fault-series.ts'
import { measureFragments } from './fragments.ts'
import { measureRehash } from './rehash.ts'

const ROUNDS_DEFAULT = '10'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    fault: { type: 'string', multiple: true },
    'inside-source': { type: 'string', default: 'Node' },
    calls: { type: 'string', default: '10000' },
    fragments: { type: 'string', default: '200' },
  },
})
const rounds = Number(positionals[0] ?? ROUNDS_DEFAULT)
const insideSource = values['inside-source']
const chosen = values.fault?.map(faultOf) ?? faults

const system = await AnycastSystem.start({
  kind: 'kamailio',
  homes: 2,
  replyToShared: true,
  edge: { insideSource },
})
try {
  console.log(`insideSource: ${insideSource}; proxies answer to the Via\n`)
  const isGood = [
    rounds === 0 || (await measureFaults(system, chosen, rounds)),
    values.calls === '0' || (await measureRehash(system, Number(values.calls))),
    values.fragments === '0' || (await measureFragments(system, Number(values.fragments))),
  ]
  process.exitCode = isGood.every(Boolean) ? 0 : 1
} finally {
  await system.stop()
}
