/**
 * Which requests reached which proxies, as the wire before the proxies has it: whether a user ever changed proxy, and
 * whether a transaction was taken for two. Not here: ACKs, which belong to other transactions or to none.
 */
import { tap } from '../network/tap.ts'
import type { AnycastSystem } from './system.ts'

/** Enough for all headers but in the largest messages, whose filling comes last. */
const BYTES = 1_600

interface Transaction {
  readonly proxies: Set<string>
  readonly branches: Set<string>
}

export class ProxyWatch {
  /** By method, Call-ID, From tag and CSeq number: what a client takes for one. */
  readonly #transactions = new Map<string, Transaction>()
  /** Proxies that got initial requests, by the user that these were for. */
  readonly #proxiesOf = new Map<string, Set<string>>()
  #requests = 0
  readonly #stop: (() => Promise<void>)[] = []

  static async start({ network }: AnycastSystem): Promise<ProxyWatch> {
    const watch = new ProxyWatch()
    for (const { name, namespace, ipv4, ipv6 } of network.registrars) {
      const wire = { namespace, device: 'eth0', direction: 'in', to: [ipv4, ipv6] } as const
      watch.#stop.push(await tap({ ...wire, bytes: BYTES }, ({ text }) => watch.#see(name, text)))
    }
    return watch
  }

  /** Requests seen, repeated ones too. */
  get requests(): number {
    return this.#requests
  }

  get transactions(): number {
    return this.#transactions.size
  }

  get users(): number {
    return this.#proxiesOf.size
  }

  /** What reached two proxies, or one of them as two transactions. */
  get duplicated(): readonly string[] {
    return [...this.#transactions]
      .filter(([, { proxies, branches }]) => proxies.size > 1 || branches.size > 1)
      .map(([key, { proxies }]) => `${key} at ${[...proxies].join(' and ')}`)
  }

  /** Users whose requests reached more than one proxy. */
  get moved(): readonly string[] {
    return [...this.#proxiesOf].filter(([, proxies]) => proxies.size > 1).map(([user]) => user)
  }

  async stop(): Promise<void> {
    for (const stop of this.#stop) await stop()
  }

  #see(proxy: string, text: string): void {
    const [, method, uri] = /^([A-Z]+) (\S+) SIP\/2\.0\r\n/.exec(text) ?? []
    if (method === undefined || uri === undefined || method === 'ACK') return
    const to = headerOf(text, 'To|t')
    const callId = headerOf(text, 'Call-ID|i')
    // The operator's and the balancers' own probes have no user.
    const user = userOf(method === 'REGISTER' ? to : uri)
    if (callId === '' || user === null) return
    this.#requests++
    const tag = /;\s*tag=([^;\s]+)/i.exec(headerOf(text, 'From|f'))?.[1] ?? ''
    const number = /^\d+/.exec(headerOf(text, 'CSeq'))?.[0] ?? ''
    const branch = /;\s*branch=([^;,\s]+)/i.exec(headerOf(text, 'Via|v'))?.[1] ?? ''
    const transaction = entryOf(this.#transactions, `${method} ${callId} ${tag} ${number}`, () => ({
      proxies: new Set<string>(),
      branches: new Set<string>(),
    }))
    transaction.proxies.add(proxy)
    transaction.branches.add(branch)
    const isInitial = !/;\s*tag=/i.test(to)
    if (isInitial) entryOf(this.#proxiesOf, user, () => new Set<string>()).add(proxy)
  }
}

/** Of the first such line. */
function headerOf(text: string, names: string): string {
  return new RegExp(`^(?:${names})[ \\t]*:[ \\t]*(.*)\\r$`, 'im').exec(text)?.[1] ?? ''
}

function userOf(uri: string): string | null {
  return /sips?:([^@>;]+)@/.exec(uri)?.[1] ?? null
}

function entryOf<T>(map: Map<string, T>, key: string, make: () => T): T {
  const found = map.get(key) ?? make()
  map.set(key, found)
  return found
}
