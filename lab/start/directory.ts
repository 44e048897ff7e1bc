/**
 * The directory that operator and balancers share when there is no cluster (design section 6): manifests in,
 * what the programs write out, read with the very schemas of the product.
 */
import { mkdtemp, readFile, rename, rm, unlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  API_VERSION,
  SIP_PROXY_KIND,
  type SipBalancerStatus,
  type SipProxyStatus,
  sipBalancerStatusSchema,
  sipProxyStatusSchema,
} from '@sipcast/crds'
import { decodeTable, type Table } from '@sipcast/mapping'
import { guard } from '../process/guard.ts'

const POLL_INTERVAL_MS = 20
const WAIT_MS = 15_000
const NAMESPACE = 'default'

/** A SipProxy's spec as somebody would write it. */
export type ManifestSpec = Readonly<Record<string, unknown>>

export class LabDirectory {
  readonly path: string

  static async create(parent = tmpdir()): Promise<LabDirectory> {
    const path = await mkdtemp(join(parent, 'sipcast-lab-'))
    // It will hold secrets.
    guard.watchDirectory(path)
    return new LabDirectory(path)
  }

  constructor(path: string) {
    this.path = path
  }

  async writeManifest(name: string, spec: ManifestSpec): Promise<void> {
    await this.writeObject(SIP_PROXY_KIND, name, spec)
  }

  /** Of any kind; its name must be its own among all manifests. */
  async writeObject(kind: string, name: string, spec: ManifestSpec): Promise<void> {
    const manifest = { apiVersion: API_VERSION, kind, metadata: { name }, spec }
    // JSON is YAML.
    await this.writeRawManifest(name, `${JSON.stringify(manifest, null, 2)}\n`)
  }

  /** Whatever it is: for broken ones. */
  async writeRawManifest(name: string, text: string): Promise<void> {
    const path = join(this.path, `${name}.yaml`)
    await writeFile(`${path}.new`, text)
    await rename(`${path}.new`, path)
  }

  async removeManifest(name: string): Promise<void> {
    await unlink(join(this.path, `${name}.yaml`))
  }

  /** Null while there is none that can be read. */
  async table(name: string): Promise<Table | null> {
    const text = await this.#read('tables', `${NAMESPACE}.${name}.json`)
    const decoded = text === null ? null : decodeTable(text)
    return decoded?.ok === true ? decoded.table : null
  }

  async status(name: string): Promise<SipProxyStatus | null> {
    const text = await this.#read('status', `${NAMESPACE}.${name}.json`)
    return text === null ? null : (sipProxyStatusSchema.safeParse(JSON.parse(text)).data ?? null)
  }

  async balancer(name: string): Promise<SipBalancerStatus | null> {
    const text = await this.#read('balancers', `${name}.json`)
    return text === null ? null : (sipBalancerStatusSchema.safeParse(JSON.parse(text)).data ?? null)
  }

  async remove(): Promise<void> {
    await rm(this.path, { recursive: true, force: true })
  }

  async #read(...names: string[]): Promise<string | null> {
    try {
      return await readFile(join(this.path, ...names), 'utf8')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
      throw error
    }
  }
}

/** Asks until the answer is something; fails with what was wanted if that takes too long. */
export async function eventually<T>(
  wanted: string,
  ask: () => Promise<T | null | false> | T | null | false,
  waitMs = WAIT_MS,
): Promise<T> {
  const deadline = performance.now() + waitMs
  for (;;) {
    const answer = await ask()
    if (answer !== null && answer !== false) return answer
    if (performance.now() > deadline) throw new Error(`not within ${waitMs} ms: ${wanted}`)
    await sleep(POLL_INTERVAL_MS)
  }
}
