/**
 * What the workers say about their sockets, as one statement per address and port.
 * Not here: opening them (`worker-sockets.ts`). Invariants: an address counts as bound only if every worker that spoke
 * has it bound; kernel drops only grow while the address is wanted, also when its socket is closed and opened again.
 */

import { type SocketReport, SocketState } from './worker-config.ts'

interface Held {
  readonly socket: SocketReport
  /** Kernel drops of its predecessors. */
  readonly pastDrops: number
}

export class Sockets {
  /** Worker → role, address and port → the newest report. */
  readonly #held = new Map<number, ReadonlyMap<string, Held>>()
  /** Until the next report: it is asked for many times between two. */
  #merged: readonly SocketReport[] | null = null

  /** Takes the newest report of a worker. True if a state or message differs from before. */
  report(worker: number, sockets: readonly SocketReport[]): boolean {
    const before = this.#held.get(worker) ?? new Map<string, Held>()
    const after = new Map(
      sockets.map((socket) => {
        const name = nameOf(socket)
        return [name, { socket, pastDrops: pastDrops(before.get(name), socket) }]
      }),
    )
    this.#held.set(worker, after)
    this.#merged = null
    return (
      before.size !== after.size ||
      [...after].some(([name, held]) => differs(before.get(name), held))
    )
  }

  /** One entry per role, address and port: the worst state of all workers, and the counts of all. */
  merged(): readonly SocketReport[] {
    this.#merged ??= this.#merge()
    return this.#merged
  }

  #merge(): readonly SocketReport[] {
    const merged = new Map<string, SocketReport>()
    for (const sockets of this.#held.values()) {
      for (const [name, { socket, pastDrops }] of sockets) {
        const others = merged.get(name)
        const worst = others === undefined || others.state === SocketState.bound ? socket : others
        const kernelDrops = (others?.kernelDrops ?? 0) + pastDrops + socket.kernelDrops
        const served = (others?.served ?? 0) + socket.served
        merged.set(name, { ...worst, kernelDrops, served })
      }
    }
    return [...merged.values()]
  }
}

function pastDrops(before: Held | undefined, now: SocketReport): number {
  if (before === undefined) return 0
  const wasReopened = now.kernelDrops < before.socket.kernelDrops
  return before.pastDrops + (wasReopened ? before.socket.kernelDrops : 0)
}

function differs(before: Held | undefined, { socket }: Held): boolean {
  return before?.socket.state !== socket.state || before.socket.message !== socket.message
}

function nameOf({ role, address, port }: SocketReport): string {
  return `${role} ${address} ${port}`
}
