import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { ID, World } from './balancer.fixture.ts'
import { packetKinds } from './counters.ts'
import { createRegistry, metrics } from './metrics.ts'
import { Refusal } from './tables.ts'
import { Verdict, verdictNames } from './verdict.ts'

const document = readFileSync(new URL('../docs/metrics.md', import.meta.url), 'utf8')

/** First cells of the table under a heading, and the cells after them. */
function rowsUnder(heading: string): ReadonlyMap<string, readonly string[]> {
  const section = document.split(/^#+ /m).find((part) => part.startsWith(`${heading}\n`)) ?? ''
  const rows = section.matchAll(/^\| `(\w+)` \| (.+) \|$/gm)
  return new Map([...rows].map(([, name, rest]) => [name!, rest!.split(' | ')]))
}

describe('docs/metrics.md', () => {
  it('has one row for each metric of the balancer, with its kind and labels', () => {
    const written = [...rowsUnder('Balancer')].map(([name, [kind, labels]]) => [name, kind, labels])
    const real = metrics.map(({ name, kind, labels }) => [
      name,
      kind,
      labels.map((label) => `\`${label}\``).join(', ') || '–',
    ])
    expect(written).toEqual(real)
  })

  it('has one row for each verdict, in their order', () => {
    expect([...rowsUnder('Verdicts').keys()]).toEqual(verdictNames)
  })

  it('has one row for each reason to refuse a table', () => {
    expect([...rowsUnder('Reasons to refuse a table').keys()]).toEqual(Object.values(Refusal))
  })
})

describe('a scrape', () => {
  const value = (text: string, series: string): number | undefined => {
    const line = text.split('\n').find((one) => one.startsWith(`${series} `))
    return line === undefined ? undefined : Number(line.slice(series.length + 1))
  }

  async function scraped(world: World): Promise<string> {
    return await createRegistry(world.balancer.state, () => world.time.nowMs()).metrics()
  }

  it('sums over workers and shows what the main thread knows', async () => {
    const world = new World()
    world.publish({ epoch: 7 })
    world.documents.set('default.bad', '{')
    await world.start()
    world.counters[0]!.decided(Verdict.toOwner)
    world.counters[1]!.decided(Verdict.toOwner)
    world.counters[1]!.received(true, packetKinds.indexOf('invite'))
    world.probed('registrar-0', 'accepted')
    for (let miss = 0; miss < 2; miss++) world.probed('registrar-1', 'refused')
    new Float64Array(world.configs[1]![0]!.pools[0]!.packets)[2] = 5
    await world.pass(3000)

    const text = await scraped(world)
    const of = (proxy: string) =>
      `{namespace="default",name="registrars",proxy="registrar-${proxy}"}`
    const wanted: readonly [string, number][] = [
      ['sipcast_balancer_verdicts_total{verdict="toOwner"}', 2],
      ['sipcast_balancer_verdicts_total{verdict="dropRate"}', 0],
      ['sipcast_balancer_packets_received_total{side="inside",kind="invite"}', 1],
      [`sipcast_balancer_proxy_packets_total${of('2')}`, 5],
      [`sipcast_balancer_proxy_marked_dead${of('1')}`, 1],
      [`sipcast_balancer_probe_rtt_seconds${of('0')}`, 0.012],
      ['sipcast_balancer_probes_total{outcome="refused"}', 2],
      ['sipcast_balancer_table_epoch{namespace="default",name="registrars"}', 7],
      ['sipcast_balancer_tables_refused_total{reason="TableNotJson"}', 1],
      ['sipcast_balancer_keys_accepted', 1],
      ['sipcast_balancer_ready', 1],
      ['sipcast_balancer_socket_bound{role="outside",address="203.0.113.10",port="5060"}', 1],
    ]
    expect(wanted.map(([series]) => [series, value(text, series)])).toEqual(wanted)
    expect(
      value(text, 'sipcast_balancer_table_age_seconds{namespace="default",name="registrars"}'),
    ).toBeGreaterThanOrEqual(3)
  })

  it('counts nothing twice for being asked twice, and forgets what is gone', async () => {
    const world = new World()
    world.publish()
    await world.start()
    world.counters[0]!.decided(Verdict.toOwner)
    const registry = createRegistry(world.balancer.state, () => world.time.nowMs())
    const first = await registry.metrics()
    expect(await registry.metrics()).toBe(first)
    world.publish({ epoch: 2, removed: true })
    await world.pass()
    await world.pass()
    expect(await registry.metrics()).not.toContain(`name="${ID.split('.')[1]}"`)
  })
})
