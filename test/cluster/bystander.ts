/**
 * The example's pool as the one that must not notice what befalls others: its table, and two phones that call each
 * other by any node. Not here: what befalls them.
 */
import { applyExample, EXAMPLE, type Phone, servedBy, untilServed } from '@sipcast/lab'
import type { Table } from '@sipcast/mapping'
import { expect } from 'vitest'
import type { Cluster } from './cluster.ts'

/** So that a busy machine's late answers move nobody, and who was moved on purpose is soon back. */
const PATIENT = {
  probe: { interval: '500ms', timeout: '500ms', fall: 4 },
  mapping: { handBack: { after: '1s', maxMovedPercent: 50, per: '1s' } },
  // As its manifest has it, whatever a suite that failed left behind.
  edge: null,
}

export class Bystander {
  readonly cluster: Cluster
  /** As it was when all was well. */
  table: Table
  /** Since when each balancer uses it. */
  #uses: readonly string[] = []
  readonly #caller: Phone
  readonly #callee: Phone

  static async settle(cluster: Cluster): Promise<Bystander> {
    await applyExample(cluster.kubectl)
    await patch(cluster, PATIENT)
    await cluster.untilBalanced()
    await untilServed(cluster.kubectl, EXAMPLE.namespace, EXAMPLE.sipProxy)
    const callee = await cluster.phone('bystander-1', { home: 0 })
    const caller = await cluster.phone('bystander-2', { home: 1 })
    const bystander = new Bystander(cluster, (await cluster.table())!, caller, callee)
    await bystander.takeNote()
    return bystander
  }

  constructor(cluster: Cluster, table: Table, caller: Phone, callee: Phone) {
    this.cluster = cluster
    this.table = table
    this.#caller = caller
    this.#callee = callee
  }

  /** It was to get a new table. */
  async takeNote(): Promise<void> {
    this.table = (await this.cluster.table())!
    const isInUse = async () => {
      this.#uses = await this.#lookAtUses()
      return this.#uses.every((use) => use.startsWith(this.table.sha256))
    }
    await this.cluster.until('its table in use', isInUse)
  }

  /** It has the very same table, no balancer ever used another, and it is called. */
  async expectUntouched(): Promise<void> {
    const { epoch, sha256 } = (await this.cluster.table())!
    expect({ epoch, sha256 }).toEqual({ epoch: this.table.epoch, sha256: this.table.sha256 })
    expect(await this.#lookAtUses()).toEqual(this.#uses)
    await this.expectServed()
  }

  /** A table may have been written anew, under a later epoch; nobody has moved. */
  async expectUnmoved(): Promise<void> {
    expectSameOwners(this.table, (await this.cluster.table())!)
    await this.expectServed()
  }

  /** Both register anew and talk, through the proxy that the callee's user belongs to. */
  async expectServed(): Promise<void> {
    for (const phone of [this.#caller, this.#callee]) {
      expect((await phone.register()).status).toBe(200)
    }
    const session = await this.#caller.call(this.#callee.user).answered
    const { invite } = (await this.#callee.calls.next())!
    expect(servedBy(invite)).not.toEqual([])
    expect((await session.reinvite()).status).toBe(200)
    expect((await session.hangUp()).status).toBe(200)
  }

  async #lookAtUses(): Promise<readonly string[]> {
    const uses = this.cluster.carriers.map(async ({ name }) => {
      const { status } = await this.cluster.sipBalancer(name)
      const use = status.sipProxies.find(({ name }) => name === EXAMPLE.sipProxy)
      return `${use?.sha256} since ${use?.inUseSince}`
    })
    return await Promise.all(uses)
  }

  /** Leaves the example as its manifests have it. */
  async leave(): Promise<void> {
    await patch(this.cluster, { probe: null, mapping: { handBack: null } })
    await this.cluster.untilBalanced()
  }
}

/** Owners by name: members may stand elsewhere in the list. */
export function expectSameOwners(before: Table, after: Table): void {
  expect(after.epoch).toBeGreaterThanOrEqual(before.epoch)
  expect(ownersOf(after)).toEqual(ownersOf(before))
}

function ownersOf({ members, owners }: Table): readonly (string | undefined)[] {
  return Array.from(owners, (owner) => members[owner]?.id)
}

async function patch(cluster: Cluster, spec: object): Promise<void> {
  const where = ['sipproxy', EXAMPLE.sipProxy, '-n', EXAMPLE.namespace]
  await cluster.kubectl.run('patch', ...where, '--type=merge', '-p', JSON.stringify({ spec }))
}
