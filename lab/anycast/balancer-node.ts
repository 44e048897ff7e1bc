/**
 * A balancer's node of the anycast lab: balancer, announcer and BIRD as the product runs them side by side, each the
 * real program in the node's namespace. Not here: the network (network/anycast.ts), what goes wrong (faults.ts).
 */
import { access } from 'node:fs/promises'
import { join } from 'node:path'
import type { SipBalancerStatus } from '@sipcast/crds'
import { startBird } from '../network/bird.ts'
import { Namespace } from '../network/namespace.ts'
import type { Node } from '../network/topology.ts'
import { startAnnouncer } from '../start/announcer.ts'
import { startBalancer } from '../start/balancer.ts'
import { eventually, type LabDirectory } from '../start/directory.ts'
import type { Part } from '../start/part.ts'

export interface BalancerNodeOptions {
  readonly node: Node
  readonly directory: LabDirectory
  /** Which BIRD's user may write to. */
  readonly birdDirectory: string
  /** Networks of the shared addresses. */
  readonly pools: readonly string[]
}

const INSIDE_PORT = 5070
const DRAIN_SECONDS = 2
/** For the balancer to drain, and the announcer to see that it has. */
const LEAVE_MAX_MS = 15_000

export class BalancerNode {
  readonly node: Node
  readonly directory: LabDirectory
  readonly namespace: Namespace
  readonly balancer: Part
  readonly announcer: Part
  readonly bird: Part

  static async start(options: BalancerNodeOptions): Promise<BalancerNode> {
    const { node, directory, birdDirectory, pools } = options
    const { name, namespace } = node
    const configPath = join(birdDirectory, `${name}.conf`)
    const socketPath = join(birdDirectory, `${name}.ctl`)
    const bird = { configPath, socketPath }
    const balancer = startBalancer({
      directory,
      name,
      inside: [
        { address: node.ipv4, port: INSIDE_PORT },
        { address: node.ipv6, port: INSIDE_PORT },
      ],
      namespace,
      workers: 1,
      drainSeconds: DRAIN_SECONDS,
    })
    const announcer = startAnnouncer({ directory, name, namespace, pools, bird })
    const router = eventually('a configuration of BIRD', () => exists(configPath)).then(() =>
      startBird({ name: `BIRD of ${name}`, namespace, ...bird }),
    )
    const started = await Promise.allSettled([balancer, announcer, router])
    const failed = started.find((result) => result.status === 'rejected')
    if (failed === undefined) {
      return new BalancerNode(options, await balancer, await announcer, await router)
    }
    for (const one of started) if (one.status === 'fulfilled') await one.value.kill()
    throw failed.reason
  }

  constructor(
    { node, directory }: BalancerNodeOptions,
    balancer: Part,
    announcer: Part,
    bird: Part,
  ) {
    this.node = node
    this.directory = directory
    this.namespace = new Namespace(node.namespace)
    this.balancer = balancer
    this.announcer = announcer
    this.bird = bird
  }

  get name(): string {
    return this.node.name
  }

  get parts(): readonly Part[] {
    return [this.balancer, this.announcer, this.bird]
  }

  async report(): Promise<SipBalancerStatus | null> {
    return await this.directory.balancer(this.name)
  }

  /** As its kernel has them: what is held on `lo`, what is announced on the link for it. */
  async addresses(): Promise<{ held: readonly string[]; announced: readonly string[] }> {
    const links = JSON.parse(await this.namespace.ip('-json address show')) as readonly Link[]
    const on = (wanted: string) =>
      links
        .filter(({ ifname }) => ifname === wanted)
        .flatMap(({ addr_info }) => addr_info)
        .filter(({ scope }) => scope === 'global')
        .map(({ local }) => local)
        .toSorted()
    return { held: on('lo'), announced: on(ANNOUNCE_LINK) }
  }

  /**
   * Told to end as a pod is: all programs at once. BIRD is not, since its container waits for the announcer. Resolves
   * at once; `untilLeft` waits.
   */
  leave(): void {
    this.balancer.process.signal('SIGTERM')
    this.announcer.process.signal('SIGTERM')
  }

  async untilLeft(): Promise<void> {
    const isOver = () => this.parts.every(({ state }) => state === 'dead')
    await eventually(`${this.name} ends in order`, isOver, LEAVE_MAX_MS)
  }

  /** Whatever of it is frozen or dead. */
  async revive(): Promise<void> {
    await Promise.all(this.parts.map((part) => part.revive()))
  }

  async stop(): Promise<void> {
    await Promise.all(this.parts.map((part) => part.kill()))
  }
}

/** As `ip -json` says it. */
interface Link {
  readonly ifname: string
  readonly addr_info: readonly { readonly local: string; readonly scope: string }[]
}

/** The product's own (dataplane/announcer/bird/limits.ts). */
export const ANNOUNCE_LINK = 'dummy-sipcast'

async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  )
}
