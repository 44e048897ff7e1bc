/**
 * A balancer's node with the announcing half of sipcast only: the product's BIRD configuration in a real BIRD without
 * rights, and the announced copies of addresses, put there by hand. Not here: balancer and announcer.
 */
import { chmod, chown, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type BgpPeer, parseBgpPeer } from '@sipcast/crds'
import {
  type Anycast,
  Namespace,
  NODE_ASN,
  type Node,
  type Part,
  type Router,
  SHARED_IPV4,
  SHARED_IPV6,
  startBird,
} from '@sipcast/lab'
import { expect } from 'vitest'
import { ConfigurationFile } from '../../dataplane/announcer/bird/io/configuration-file.ts'
import { BirdControl } from '../../dataplane/announcer/bird/io/control.ts'
import { ANNOUNCE_LINK } from '../../dataplane/announcer/bird/limits.ts'
import { type BirdQuestion, renderBird } from '../../dataplane/announcer/bird/render.ts'

export const PASSWORD = 'not: a {secret}; # at all'
const POOLS = ['203.0.113.0/24', '2001:db8:53::/64']

const SESSIONS_WAIT_MS = 20_000
/** Longer than BIRD stays away from a router after several errors. */
export const ROUTE_WAIT_MS = 15_000
/** Group of the user that BIRD runs as. */
const NOGROUP = 65_534

export class AnnouncingNode {
  readonly node: Node
  readonly control: BirdControl
  readonly file: ConfigurationFile
  readonly bird: Part
  /** What the configuration in use was made from. */
  question: BirdQuestion

  /** With sessions to these routers on their way. */
  static async start(
    node: Node,
    directory: string,
    peers: readonly BgpPeer[],
    password = PASSWORD,
  ): Promise<AnnouncingNode> {
    const namespace = new Namespace(node.namespace)
    await addAnnounceLink(namespace)
    const configPath = join(directory, `${node.name}.conf`)
    const socketPath = join(directory, `${node.name}.ctl`)
    const question: BirdQuestion = {
      peers,
      nodeName: node.name,
      nodeLabels: {},
      passwords: new Map(peers.map(({ name }) => [name, password])),
      nodeAddresses: [node.ipv4, node.ipv6],
      routerId: node.ipv4,
      pools: POOLS,
      isShuttingDown: false,
    }
    const control = new BirdControl(socketPath)
    const file = new ConfigurationFile(configPath, control)
    await file.prepare(renderBird({ ...question, peers: [] }).text)
    const { name, namespace: within } = node
    const bird = await startBird({ name, namespace: within, configPath, socketPath })
    const started = new AnnouncingNode({ node, control, file, bird, question })
    await started.apply({})
    return started
  }

  constructor(parts: Pick<AnnouncingNode, 'node' | 'control' | 'file' | 'bird' | 'question'>) {
    this.node = parts.node
    this.control = parts.control
    this.file = parts.file
    this.bird = parts.bird
    this.question = parts.question
  }

  /** The configuration of before, but for this. */
  async apply(change: Partial<BirdQuestion>): Promise<void> {
    this.question = { ...this.question, ...change }
    await this.file.apply(renderBird(this.question).text)
  }

  async established(): Promise<void> {
    await within(SESSIONS_WAIT_MS, async () => {
      const sessions = await this.control.sessions()
      expect(sessions).toHaveLength(this.question.peers.length)
      for (const session of sessions) {
        expect(session).toMatchObject({ state: 'Established', bfd: 'Up' })
      }
    })
  }

  /** @param lifetimeSeconds null: for ever */
  async announce(address: string, lifetimeSeconds: number | null = null): Promise<void> {
    await this.#change('replace', address, lifetimeSeconds)
  }

  async withdraw(address: string): Promise<void> {
    await this.#namespace.ip(`addr del ${lonely(address)} dev ${ANNOUNCE_LINK}`)
  }

  /** Sockets can be bound to it; nobody is told. */
  async hold(address: string): Promise<void> {
    await this.#namespace.ip(`addr replace ${lonely(address)} dev lo`)
  }

  async addresses(): Promise<readonly string[]> {
    const output = await this.#namespace.ip(`-o addr show dev ${ANNOUNCE_LINK} scope global`)
    return [...output.matchAll(/ inet6? ([^ /]+)/g)].map(([, address]) => address as string)
  }

  get #namespace(): Namespace {
    return new Namespace(this.node.namespace)
  }

  async #change(verb: string, address: string, seconds: number | null): Promise<void> {
    const lifetime = seconds === null ? '' : ` valid_lft ${seconds} preferred_lft 0`
    const nodad = address.includes(':') ? ' nodad' : ''
    const line = `addr ${verb} ${lonely(address)} dev ${ANNOUNCE_LINK}${nodad}${lifetime}`
    await this.#namespace.ip(line)
  }
}

/** A directory that BIRD's user shares with us by its group, as a volume's fsGroup makes it. */
export async function birdDirectory(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'sipcast-bird-'))
  await chown(path, 0, NOGROUP)
  await chmod(path, 0o2770)
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) }
}

/** One over IPv4, the other over IPv6; both carry both. */
export function peersOf(anycast: Anycast): readonly BgpPeer[] {
  return anycast.routers.map((router, index) => {
    const peerAddress = index % 2 === 0 ? router.ipv4 : router.ipv6
    return bgpPeer(router.name, { peerAddress, peerASN: router.asn, localASN: NODE_ASN })
  })
}

/** @param spec as somebody would write it; the password is added */
export function bgpPeer(name: string, spec: Readonly<Record<string, unknown>>): BgpPeer {
  const parsed = parseBgpPeer({
    apiVersion: 'sipcast.io/v1alpha1',
    kind: 'BgpPeer',
    metadata: { name },
    spec: { passwordSecretRef: { name: 'bgp' }, ...spec },
  })
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems))
  return parsed.bgpPeer
}

/** Sees to it that the assertion holds within the time; it is asked all the while. */
export async function within(ms: number, assertion: () => Promise<void>): Promise<void> {
  const end = performance.now() + ms
  for (;;) {
    try {
      await assertion()
      return
    } catch (error) {
      if (performance.now() > end) throw error
      await sleep(1)
    }
  }
}

/** Milliseconds from now until all routers have just these next hops for the address. */
export async function untilRouted(
  { routers }: { readonly routers: readonly Pick<Router, 'nextHops'>[] },
  address: string,
  nodes: readonly AnnouncingNode[],
): Promise<number> {
  const begun = performance.now()
  const family = address === SHARED_IPV4 ? 'ipv4' : 'ipv6'
  const hops = nodes.map(({ node }) => node[family]).toSorted()
  await within(ROUTE_WAIT_MS, async () => {
    for (const router of routers) expect(await router.nextHops(address)).toEqual(hops)
  })
  return performance.now() - begun
}

export const SHARED = { ipv4: SHARED_IPV4, ipv6: SHARED_IPV6 } as const

/** The kernel of a machine may lack dummy devices; a bridge without ports is as good. */
async function addAnnounceLink(namespace: Namespace): Promise<void> {
  try {
    await namespace.ip(`link add ${ANNOUNCE_LINK} type dummy`)
  } catch {
    // No such kind of device here.
    await namespace.ip(`link add ${ANNOUNCE_LINK} type bridge`)
  }
  await namespace.ip(`link set ${ANNOUNCE_LINK} up`)
}

function lonely(address: string): string {
  return `${address}/${address.includes(':') ? 128 : 32}`
}
