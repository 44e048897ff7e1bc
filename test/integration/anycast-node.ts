/**
 * A balancer's node with all three programs as the product runs them beside each other: balancer and announcer on a
 * directory, and BIRD without rights, whose configuration the announcer writes. Tables are written by hand. Not here:
 * the network; operators and proxies.
 */
import { existsSync } from 'node:fs'
import { chmod, chown, mkdir, rename, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import {
  type Anycast,
  eventually,
  LabDirectory,
  Namespace,
  NODE_ASN,
  type Node,
  Part,
  SHARED_IPV4,
  SHARED_IPV6,
  startBird,
  startProcess,
} from '@sipcast/lab'
import { encodeTable } from '@sipcast/mapping'
import { BirdControl } from '../../dataplane/announcer/bird/io/control.ts'
import { ANNOUNCE_LINK } from '../../dataplane/announcer/bird/limits.ts'
import { PLAIN_TABLE, START } from './plain-table.ts'

const BALANCER = fileURLToPath(new URL('../../dataplane/main.ts', import.meta.url))
const ANNOUNCER = fileURLToPath(new URL('../../dataplane/announcer/main.ts', import.meta.url))
const POOLS = ['203.0.113.0/24', '2001:db8:53::/64']
const DRAIN_SECONDS = 3
const SESSIONS_WAIT_MS = 20_000
/** Group of the user that BIRD runs as. */
const NOGROUP = 65_534
/** Nobody answers there. */
const DEAD_PROXY = { address: '198.18.1.99', port: 5060, hostAddresses: [] }

export class AnycastNode {
  readonly node: Node
  readonly directory: LabDirectory
  readonly control: BirdControl
  readonly balancer: Part
  readonly bird: Part
  readonly #startAnnouncer: () => Promise<Part>
  #announcer: Part

  /** With a session to each router; without a table. */
  static async start(node: Node, anycast: Anycast, password: string): Promise<AnycastNode> {
    const directory = await LabDirectory.create()
    // Nobody, who BIRD is, may pass.
    await chmod(directory.path, 0o711)
    const birds = join(directory.path, 'bird')
    await mkdir(birds)
    await chown(birds, 0, NOGROUP)
    await chmod(birds, 0o2770)
    const keys = [{ id: 1, secret: '00112233445566778899aabbccddeeff', created: START }]
    await writeFile(join(directory.path, 'keys.json'), JSON.stringify({ keys }))
    await mkdir(join(directory.path, 'secrets', 'bgp'), { recursive: true })
    await writeFile(join(directory.path, 'secrets', 'bgp', 'password'), `${password}\n`)
    await writePeers(directory, anycast)
    const paths = { configPath: join(birds, 'bird.conf'), socketPath: join(birds, 'bird.ctl') }
    const balancer = await startBalancer(node, directory)
    const startAnnouncer = async () => await announcerOf(node, directory, paths)
    const announcer = await startAnnouncer()
    await eventually('a configuration for BIRD', () => existsSync(paths.configPath))
    const bird = await startBird({
      name: `bird of ${node.name}`,
      namespace: node.namespace,
      ...paths,
    })
    const control = new BirdControl(paths.socketPath)
    const parts = { node, directory, control, balancer, bird }
    const started = new AnycastNode(parts, startAnnouncer, announcer)
    await started.established(anycast.routers.length)
    return started
  }

  constructor(
    parts: Pick<AnycastNode, 'node' | 'directory' | 'control' | 'balancer' | 'bird'>,
    startAnnouncer: () => Promise<Part>,
    announcer: Part,
  ) {
    this.node = parts.node
    this.directory = parts.directory
    this.control = parts.control
    this.balancer = parts.balancer
    this.bird = parts.bird
    this.#startAnnouncer = startAnnouncer
    this.#announcer = announcer
  }

  get announcer(): Part {
    return this.#announcer
  }

  /** The announcer is killed while another one waits for the node, and goes on from what it finds. */
  async succeedAnnouncer(): Promise<void> {
    const predecessor = this.#announcer
    this.#announcer = await this.#startAnnouncer()
    await predecessor.kill()
  }

  async established(count: number): Promise<void> {
    const isUp = async () => {
      const sessions = await this.control.sessions()
      const up = sessions.filter(({ state, bfd }) => state === 'Established' && bfd === 'Up')
      return up.length === count
    }
    await eventually('sessions with all routers', isUp, SESSIONS_WAIT_MS)
  }

  /** A table whose only proxy is dead. */
  async publish(epoch: number): Promise<void> {
    const path = join(this.directory.path, 'tables', 'default.registrars.json')
    const place = { id: 'dead', name: 'dead', ...DEAD_PROXY }
    const text = encodeTable({
      ...PLAIN_TABLE,
      epoch,
      addresses: [SHARED_IPV4, SHARED_IPV6],
      members: [{ ...place, weight: 1, state: 'Down', since: START }],
      slots: 64,
      owners: new Uint16Array(64),
      backups: new Uint16Array(64),
    })
    await mkdir(join(path, '..'), { recursive: true })
    await writeFile(`${path}.new`, text)
    await rename(`${path}.new`, path)
  }

  async setMaintenance(isWanted: boolean): Promise<void> {
    const path = join(this.directory.path, 'maintenance.yaml')
    if (!isWanted) return await unlink(path)
    const metadata = { name: this.node.name }
    const spec = { maintenance: true }
    await writeFile(path, JSON.stringify({ ...resource('SipBalancer'), metadata, spec }))
  }

  async addressesOn(device: string): Promise<readonly string[]> {
    const namespace = new Namespace(this.node.namespace)
    const output = await namespace.ip(`-o addr show dev ${device}`).catch(() => '')
    const found = [...output.matchAll(/ inet6? ([^ /]+)/g)].map(([, address]) => address as string)
    return found.filter((one) => !['127.0.0.1', '::1'].includes(one)).toSorted()
  }

  async held(): Promise<readonly string[]> {
    return await this.addressesOn('lo')
  }

  async announced(): Promise<readonly string[]> {
    return await this.addressesOn(ANNOUNCE_LINK)
  }

  /** What the announcer has said, by name, since it was started last. */
  events(): readonly string[] {
    return this.announcer.process.log.lines.flatMap(
      (line) => /"event":"(\w+)"/.exec(line)?.[1] ?? [],
    )
  }

  async stop(): Promise<void> {
    for (const part of [this.announcer, this.balancer, this.bird]) await part.kill()
    await this.directory.remove()
  }
}

/** While a predecessor is there, it only waits. */
async function announcerOf(
  { name, namespace }: Node,
  { path }: LabDirectory,
  bird: { readonly configPath: string; readonly socketPath: string },
): Promise<Part> {
  const pools = POOLS.flatMap((pool) => ['--address-pool', pool])
  const files = ['--bird-config', bird.configPath, '--bird-socket', bird.socketPath]
  const args = [ANNOUNCER, '--directory', path, '--name', name, ...pools, ...files]
  return await startPart(`announcer of ${name}`, args, namespace, /"(Started|NodeTaken)"/)
}

async function startBalancer(node: Node, { path }: LabDirectory): Promise<Part> {
  const { name, namespace } = node
  const inside = ['--inside', `${node.ipv4},${node.ipv6}`]
  const more = ['--workers', '1', '--drain', String(DRAIN_SECONDS)]
  const args = [BALANCER, '--directory', path, '--name', name, ...inside, ...more]
  return await startPart(name, args, namespace)
}

async function startPart(
  name: string,
  args: readonly string[],
  namespace: string,
  isReady = /"Started"/,
): Promise<Part> {
  return await Part.start(name, () =>
    startProcess({
      name,
      command: process.execPath,
      args,
      namespace,
      ready: async ({ log }) => void (await log.until(isReady)),
    }),
  )
}

/** One over IPv4, the other over IPv6; both carry both. */
async function writePeers({ path }: LabDirectory, { routers }: Anycast): Promise<void> {
  const peers = routers.map((router, index) => ({
    ...resource('BgpPeer'),
    metadata: { name: router.name },
    spec: {
      peerAddress: index % 2 === 0 ? router.ipv4 : router.ipv6,
      peerASN: router.asn,
      localASN: NODE_ASN,
      passwordSecretRef: { name: 'bgp' },
    },
  }))
  const text = peers.map((peer) => JSON.stringify(peer)).join('\n---\n')
  await writeFile(join(path, 'peers.yaml'), text)
}

function resource(kind: string) {
  return { apiVersion: 'sipcast.io/v1alpha1', kind }
}

/** What the kernels of all routers do with routes to the shared addresses, as it happens. */
export class RouteLog {
  readonly #monitors: readonly Awaited<ReturnType<typeof startProcess>>[]

  static async start({ routers }: Anycast): Promise<RouteLog> {
    const monitors = routers.map(({ name, namespace }) =>
      startProcess({
        name: `routes of ${name}`,
        command: 'ip',
        args: ['-n', namespace, 'monitor', 'route'],
      }),
    )
    const started = new RouteLog(await Promise.all(monitors))
    await sleep(SETTLE_MS)
    return started
  }

  constructor(monitors: RouteLog['monitors']) {
    this.#monitors = monitors
  }

  get monitors() {
    return this.#monitors
  }

  /** Lines so far. */
  changes(): readonly string[] {
    const shared = new RegExp(`${SHARED_IPV4}|${SHARED_IPV6}`)
    return this.#monitors.flatMap(({ log }) => log.matching(shared))
  }

  async stop(): Promise<void> {
    for (const monitor of this.#monitors) await monitor.kill()
  }
}

/** Until a monitor listens. */
const SETTLE_MS = 200
