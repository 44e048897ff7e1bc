/**
 * The operator's process as it runs on a cluster, and what it costs. Not here: what it has to do.
 */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { freePort, type Process, startProcess } from '@sipcast/lab'
import { pause } from './site.ts'

const MAIN = fileURLToPath(new URL('../../../operator/main.ts', import.meta.url))
/** Linux counts processor time in hundredths of a second. */
const TICKS_PER_SECOND = 100

export interface OperatorSetting {
  readonly name: string
  readonly kubeconfig: string
  readonly namespace: string
  readonly addressPools: string
  /** Flags of Node. */
  readonly flags: readonly string[]
}

/** Sums of the operator's own metrics, by name. */
export type Counts = ReadonlyMap<string, number>

export interface Usage {
  readonly atMs: number
  readonly cpuSeconds: number
  readonly counts: Counts
}

export class OperatorProcess {
  readonly #process: Process
  readonly #url: string

  static async start(setting: OperatorSetting): Promise<OperatorProcess> {
    const { name, kubeconfig, namespace, addressPools, flags } = setting
    const port = await freePort('127.0.0.1')
    const place = ['--kubernetes', '--kubeconfig', kubeconfig, '--namespace', namespace]
    const options = [...place, '--identity', name, '--address-pools', addressPools]
    const process = await startProcess({
      name,
      command: globalThis.process.execPath,
      args: [...flags, MAIN, ...options, '--metrics', `127.0.0.1:${port}`],
    })
    return new OperatorProcess(process, `http://127.0.0.1:${port}`)
  }

  private constructor(process: Process, url: string) {
    this.#process = process
    this.#url = url
  }

  async untilStandby(): Promise<void> {
    while ((await this.#ask('/readyz')) !== 'standby\n') await pause(100)
  }

  async usage(): Promise<Usage> {
    const counts = await this.counts()
    return { atMs: performance.now(), cpuSeconds: this.#cpuSeconds(), counts }
  }

  async counts(): Promise<Counts> {
    const sums = new Map<string, number>()
    const text = await this.metricsText()
    for (const [, name = '', labels = '', value] of text.matchAll(SAMPLE)) {
      if (name.startsWith('sipcast_operator_proxy_')) continue
      for (const key of [name, `${name}${labels}`]) {
        sums.set(key, (sums.get(key) ?? 0) + Number(value))
      }
    }
    return sums
  }

  metricsText(): Promise<string> {
    return this.#ask('/metrics')
  }

  /** MiB: now, and at most so far. */
  memory(): { readonly now: number; readonly highest: number } {
    const status = readFileSync(`/proc/${this.#process.pid}/status`, 'utf8')
    const mebibytes = (name: string) =>
      Number(new RegExp(`^${name}:\\s+([0-9]+) kB`, 'm').exec(status)?.[1]) / 1024
    return { now: mebibytes('VmRSS'), highest: mebibytes('VmHWM') }
  }

  /** In order: it releases the lease. */
  async stop(): Promise<void> {
    await this.#process.stop()
  }

  async kill(): Promise<void> {
    await this.#process.kill()
  }

  /** What it warned of, the last first. */
  warnings(): readonly string[] {
    return this.#process.log.matching(/"level":(?:"(?:warn|error)"|[45]0)/).toReversed()
  }

  #cpuSeconds(): number {
    const stat = readFileSync(`/proc/${this.#process.pid}/stat`, 'utf8')
    // After the name, which may hold anything: utime and stime are the fields 14 and 15 of all.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND
  }

  async #ask(path: string): Promise<string> {
    try {
      return await (await fetch(this.#url + path)).text()
    } catch {
      // It does not listen yet, or no longer.
      return ''
    }
  }
}

const SAMPLE = /^([a-z_]+)(\{[^}]*\})? ([0-9.e+-]+)$/gm
