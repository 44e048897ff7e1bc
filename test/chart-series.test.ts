/**
 * Every alert and every query of the dashboard, held against what a running operator and a running balancer say at
 * /metrics: what they ask for is there. Not here: labels and values (chart-queries.test.ts).
 */
import { join } from 'node:path'
import {
  eventually,
  freePort,
  LabDirectory,
  LoopbackBlock,
  newPoolSecrets,
  type Part,
  Registrar,
  startBalancer,
  startOperator,
  untilServing,
} from '@sipcast/lab'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Announcement } from '../dataplane/announcement.ts'
import { proofSocketPath } from '../dataplane/config.ts'
import { announce } from './announcer-word.ts'
import type { Selector } from './chart-promql.ts'
import { queries } from './chart-queries.ts'

const SIP_PROXY = 'series'
const REALM = 'example.com'
const PORT = 5060

/** Counted only once something has gone wrong, or on Kubernetes only; the announcer has tests of its own. */
const SILENT = [
  'sipcast_operator_store_failures_total',
  'sipcast_operator_api_requests_total',
  'sipcast_operator_watch_stale_seconds',
  'sipcast_announcer_address_held',
  'sipcast_announcer_address_announced',
  'sipcast_announcer_failures_total',
  'sipcast_announcer_lapses_total',
  'sipcast_announcer_bgp_session_up',
  'sipcast_announcer_bgp_session_changes_total',
  'sipcast_announcer_bfd_session_up',
  'sipcast_announcer_bfd_changes_total',
  'sipcast_announcer_bird_up',
  'sipcast_announcer_bird_configured',
]
/** Outcomes that are counted when they happen. */
const UNHAPPENED = ['failed']

/** Of an announcer that announces nothing yet. */
const ANNOUNCEMENT: Announcement = {
  announced: [],
  held: [],
  isInMaintenance: false,
  sessions: [],
  sessionsWanted: 0,
  problems: [],
}

interface Series {
  readonly metric: string
  readonly labels: ReadonlyMap<string, string>
}

let close = async () => {}
let series: readonly Series[] = []

beforeAll(async () => {
  const block = await LoopbackBlock.claim()
  const directory = await LabDirectory.create()
  const [shared, inside, proxy] = [block.next(), block.next(), block.next()]
  const address = { address: proxy, port: PORT }
  const ports = [await freePort('127.0.0.1'), await freePort('127.0.0.1')]
  const [ofOperator, ofBalancer] = ports.map((port) => `127.0.0.1:${port}`) as [string, string]
  const parts: Part[] = []
  close = async () => {
    await Promise.all(parts.map((part) => part.stop()))
    block.release()
    await directory.remove()
  }
  parts.push(
    await Registrar.start('reference', {
      name: 'a',
      listen: [address],
      shared: { address: shared, port: PORT },
      secrets: newPoolSecrets(REALM),
      directory: directory.path,
    }),
  )
  await directory.writeManifest(SIP_PROXY, {
    addresses: [shared],
    proxies: { static: [{ name: 'a', ...address }] },
    probe: { interval: '100ms', timeout: '90ms' },
  })
  parts.push(await startOperator({ directory, metrics: ofOperator }))
  const name = 'balancer'
  parts.push(
    await startBalancer({
      directory,
      name,
      inside: [{ address: inside, port: PORT }],
      metrics: ofBalancer,
      workers: 1,
    }),
  )
  await untilServing(directory, SIP_PROXY, [name])
  const socket = proofSocketPath(join(directory.path, 'state', name))
  const scrape = async () => {
    await announce(socket, ANNOUNCEMENT)
    const texts = await Promise.all(
      [ofOperator, ofBalancer].map(
        async (host) => await (await fetch(`http://${host}/metrics`)).text(),
      ),
    )
    series = texts.flatMap(seriesOf)
    // The balancer's first probe takes its time.
    return series.some(({ metric }) => metric === 'sipcast_balancer_probe_rtt_seconds')
  }
  await eventually('the first probe of the balancer', scrape)
}, 60_000)

afterAll(async () => await close())

test.each(queries.map(({ name, query }) => [name, query] as const))(
  '%s asks for what is there',
  (_, query) => {
    const absent = query.selectors.filter(
      (one) => !SILENT.includes(one.metric) && !series.some((each) => isAsked(each, one)),
    )
    expect(absent).toEqual([])
  },
)

test('only what must be silent is', () => {
  const heard = SILENT.filter((metric) => series.some((one) => one.metric === metric))
  expect(heard).toEqual([])
})

function isAsked({ metric, labels }: Series, selector: Selector): boolean {
  return (
    metric === selector.metric &&
    selector.matchers.every(({ label, operator, value }) => {
      // Grafana's variables stand for anything; what Prometheus adds is not at /metrics.
      if (value.startsWith('$') || label === 'container' || UNHAPPENED.includes(value)) return true
      const actual = labels.get(label) ?? ''
      const isEqual = operator.includes('~')
        ? new RegExp(`^(?:${value})$`).test(actual)
        : actual === value
      return operator.startsWith('!') ? !isEqual : isEqual
    })
  )
}

/** Of the text format: one for each line that is no comment. */
function seriesOf(text: string): Series[] {
  return [...text.matchAll(/^([a-z]\w*)(?:\{(.*)\})? \S+$/gm)].map(
    ([, metric = '', labels = '']) => ({
      metric,
      labels: new Map(
        [...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, name, value]) => [name!, value!]),
      ),
    }),
  )
}
