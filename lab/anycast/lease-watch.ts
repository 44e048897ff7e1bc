/** Announced copies of addresses that a node's kernel lost or was told to remove, as it says itself. */
import { type Process, startProcess } from '../process/process.ts'
import { ANNOUNCE_LINK, type BalancerNode } from './balancer-node.ts'

export class LeaseWatch {
  readonly #monitors: readonly { readonly node: string; readonly monitor: Process }[]

  static async start(nodes: readonly BalancerNode[]): Promise<LeaseWatch> {
    const monitors = await Promise.all(
      nodes.map(async ({ name, namespace }) => {
        // Renewals are news to `ip`, too, and would fill any log.
        const kept = `grep --line-buffered '^Deleted.*${ANNOUNCE_LINK}'`
        const script = `ip -n ${namespace.name} monitor address | ${kept}`
        const options = { name: `monitor of ${name}`, command: '/bin/sh', args: ['-c', script] }
        return { node: name, monitor: await startProcess(options) }
      }),
    )
    return new LeaseWatch(monitors)
  }

  constructor(monitors: readonly { readonly node: string; readonly monitor: Process }[]) {
    this.#monitors = monitors
  }

  /** `balancer-0 203.0.113.10`, in no order across nodes. */
  get lost(): readonly string[] {
    return this.#monitors.flatMap(({ node, monitor }) =>
      monitor.log.lines.map((line) => `${node} ${/inet6? ([^ /]+)/.exec(line)?.[1] ?? line}`),
    )
  }

  async stop(): Promise<void> {
    await Promise.all(this.#monitors.map(({ monitor }) => monitor.kill()))
  }
}
