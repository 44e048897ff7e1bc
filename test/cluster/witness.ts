/**
 * A SipProxy whose spec is changed again and again, to see whether somebody leads: a change must come into its table.
 * Not here: who leads.
 */
import { seconds } from './figures.ts'
import type { Cluster } from './cluster.ts'
import { sipProxy } from './manifests.ts'
import type { TableWrites } from './table-writes.ts'

const NAME = 'witness'
const PATIENCE_MS = 120_000

export class Witness {
  readonly id: string
  readonly #cluster: Cluster
  readonly #writes: TableWrites
  readonly #namespace: string
  #changes = 0

  static async make(
    cluster: Cluster,
    writes: TableWrites,
    { namespace, proxies }: { readonly namespace: string; readonly proxies: readonly object[] },
  ): Promise<Witness> {
    const spec = { addresses: ['203.0.113.30'], proxies: { static: proxies } }
    await cluster.kubectl.apply(sipProxy(namespace, NAME, spec))
    const witness = new Witness(cluster, writes, namespace)
    await witness.isFollowed()
    return witness
  }

  constructor(cluster: Cluster, writes: TableWrites, namespace: string) {
    this.#cluster = cluster
    this.#writes = writes
    this.#namespace = namespace
    this.id = `${namespace}/${NAME}`
  }

  /** How long a change takes to come into the table, in words; `isIn` waits. */
  async isFollowed(): Promise<string> {
    const beganMs = performance.now()
    await this.isIn(await this.change())
    return seconds(performance.now() - beganMs)
  }

  /** Its generation. */
  async change(): Promise<number> {
    this.#changes += 1
    const patch = JSON.stringify({ spec: { domains: [`${this.#changes}.example.com`] } })
    const where = ['sipproxy', NAME, '-n', this.#namespace]
    const { kubectl } = this.#cluster
    const changed = await kubectl.json<{ metadata: { generation: number } }>(
      'patch',
      ...where,
      '--type=merge',
      '-p',
      patch,
    )
    return changed.metadata.generation
  }

  async isIn(generation: number): Promise<void> {
    const isSo = async () => (this.#writes.latest(this.id)?.generation ?? 0) >= generation
    await this.#cluster.until(`generation ${generation} in the table`, isSo, PATIENCE_MS)
  }
}
