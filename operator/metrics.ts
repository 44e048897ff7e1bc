/**
 * The operator's metrics. Label values come from closed sets, or name objects that exist (namespace, name, proxy);
 * those go with their object.
 * Not here: when to count. Per-SipProxy values are read from their owners when somebody scrapes, so that nothing is
 * counted per probe but the probe. The process's own metrics are added in io/.
 */
import {
  Counter,
  Gauge,
  type GaugeConfiguration,
  Histogram,
  type MetricValue,
  Registry,
} from 'prom-client'
import type { Staleness } from './ports.ts'

export interface PoolSample {
  readonly namespace: string
  readonly name: string
  readonly epoch: number
  readonly slots: number
  /** Condition types that are True. */
  readonly conditions: readonly string[]
  readonly proxies: readonly {
    readonly proxy: string
    readonly state: string
    readonly slots: number
    readonly rttMs: number | null
  }[]
}

export interface Samples {
  readonly pools: () => readonly PoolSample[]
  readonly queueDepth: () => number
  readonly freshBalancers: () => number
  readonly staleness: () => readonly Staleness[]
}

const PROXY_STATES = ['Unknown', 'Up', 'Down', 'Draining', 'NotReady'] as const
const CONDITIONS = ['Accepted', 'Ready', 'Degraded', 'TableInSync'] as const

export function makeMetrics(samples: Samples) {
  const registry = new Registry()
  const registers = [registry]
  addPoolGauges(registers, samples)
  return {
    registry,
    passes: new Counter({
      name: 'sipcast_operator_passes_total',
      help: 'Passes over a SipProxy, by outcome',
      labelNames: ['outcome'] as const,
      registers,
    }),
    passSeconds: new Histogram({
      name: 'sipcast_operator_pass_seconds',
      help: 'Duration of a pass, its writes included',
      buckets: [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3],
      registers,
    }),
    probes: new Counter({
      name: 'sipcast_operator_probes_total',
      help: 'Probe results, by outcome',
      labelNames: ['outcome'] as const,
      registers,
    }),
    probeRtt: new Histogram({
      name: 'sipcast_operator_probe_rtt_seconds',
      help: 'Round-trip time of answered probes',
      buckets: [0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1],
      registers,
    }),
    moves: new Counter({
      name: 'sipcast_operator_moved_slots_total',
      help: 'Slots that changed their owner, by cause',
      labelNames: ['cause'] as const,
      registers,
    }),
    storeFailures: new Counter({
      name: 'sipcast_operator_store_failures_total',
      help: 'Reads and writes that did not happen, by what and why',
      labelNames: ['what', 'code'] as const,
      registers,
    }),
    leader: new Gauge({
      name: 'sipcast_operator_leader',
      help: '1: this process leads; 0: it stands by',
      registers,
    }),
    apiRequests: new Counter({
      name: 'sipcast_operator_api_requests_total',
      help: 'Requests to the API server, by verb, resource and status code',
      labelNames: ['verb', 'resource', 'code'] as const,
      registers,
    }),
    eventsDropped: new Counter({
      name: 'sipcast_operator_events_dropped_total',
      help: 'Kubernetes Events that were not written, by why',
      labelNames: ['why'] as const,
      registers,
    }),
  }
}

export type Metrics = ReturnType<typeof makeMetrics>

type Sink<L extends string> = (labels: Readonly<Record<L, string>>, value: number) => void

/**
 * A gauge that is asked for all its values when somebody scrapes, and keeps none: there may be tens of thousands. (The
 * library's own finds each by a text made of its labels.)
 */
class SampledGauge<L extends string> extends Gauge<L> {
  readonly #sample: (set: Sink<L>) => void

  constructor(config: GaugeConfiguration<L>, sample: (set: Sink<L>) => void) {
    super(config)
    this.#sample = sample
  }

  override async get() {
    const values: MetricValue<L>[] = []
    this.#sample((labels, value) => values.push({ labels, value }))
    return { ...(await super.get()), values }
  }
}

function addPoolGauges(registers: Registry[], samples: Samples): void {
  const ofPool = ['namespace', 'name'] as const
  const ofProxy = ['namespace', 'name', 'proxy'] as const
  const gauge = <L extends string>(
    name: string,
    help: string,
    labelNames: readonly L[],
    sample: (set: Sink<L>) => void,
  ) => {
    const config = { name: `sipcast_operator_${name}`, help, labelNames, registers }
    return new SampledGauge<L>(config, sample)
  }
  gauge('table_epoch', 'Epoch of the published table', ofPool, (set) => {
    for (const { namespace, name, epoch } of samples.pools()) set({ namespace, name }, epoch)
  })
  gauge('slots', 'Slots of the table', ofPool, (set) => {
    for (const { namespace, name, slots } of samples.pools()) set({ namespace, name }, slots)
  })
  gauge('condition', '1 while the condition is True', [...ofPool, 'type'], (set) => {
    for (const { namespace, name, conditions } of samples.pools()) {
      for (const type of CONDITIONS) {
        set({ namespace, name, type }, conditions.includes(type) ? 1 : 0)
      }
    }
  })
  gauge('proxy_state', '1 for the state a proxy is in', [...ofProxy, 'state'], (set) => {
    for (const { namespace, name, proxies } of samples.pools()) {
      for (const { proxy, state } of proxies) {
        for (const one of PROXY_STATES) {
          set({ namespace, name, proxy, state: one }, one === state ? 1 : 0)
        }
      }
    }
  })
  gauge('proxy_slots', 'Slots a proxy owns', ofProxy, (set) => {
    for (const { namespace, name, proxies } of samples.pools()) {
      for (const { proxy, slots } of proxies) set({ namespace, name, proxy }, slots)
    }
  })
  gauge('proxy_rtt_seconds', 'Round-trip time of the last answer', ofProxy, (set) => {
    for (const { namespace, name, proxies } of samples.pools()) {
      for (const { proxy, rttMs } of proxies) {
        if (rttMs !== null) set({ namespace, name, proxy }, rttMs / 1000)
      }
    }
  })
  gauge('watch_stale_seconds', 'For how long changes may have been missed', ['resource'], (set) => {
    for (const { resource, seconds } of samples.staleness()) set({ resource }, seconds)
  })
  gauge('queue_depth', 'SipProxies that wait for a pass', [], (set) =>
    set({}, samples.queueDepth()),
  )
  gauge('fresh_balancers', 'Balancers with a fresh heartbeat', [], (set) =>
    set({}, samples.freshBalancers()),
  )
}
