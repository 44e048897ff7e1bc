/**
 * Who may serve which address and port. Two SipProxies may share an address on different ports, never an endpoint.
 * Not here: whether an address may be used at all (address pools, Kubernetes only).
 * Invariants: whoever is served there keeps it (an edit of one object never breaks another); among those that are not
 * yet, the older object wins, then the smaller name. So the outcome does not depend on the order in which objects are
 * looked at, once all have said what they want.
 */
import type { Key } from './ports.ts'

interface Claim {
  readonly endpoints: ReadonlySet<string>
  /** ISO time of the object's making. */
  readonly created: string
  /** Endpoints of the published table. */
  readonly held: ReadonlySet<string>
}

export interface Conflict {
  readonly endpoint: string
  readonly holder: Key
}

export class Claims {
  readonly #claims = new Map<Key, Claim>()
  readonly #claimants = new Map<string, Set<Key>>()

  /** What this SipProxy wants and has now. Returns the others whose outcome this may change. */
  set(
    key: Key,
    wanted: readonly string[],
    held: readonly string[],
    created: string,
  ): readonly Key[] {
    const last = this.#claims.get(key)
    const claim = { endpoints: new Set([...wanted, ...held]), held: new Set(held), created }
    if (last !== undefined && sameClaim(last, claim)) return []
    this.#remove(key)
    this.#claims.set(key, claim)
    for (const endpoint of claim.endpoints) {
      this.#claimants.set(endpoint, (this.#claimants.get(endpoint) ?? new Set()).add(key))
    }
    return this.#rivals(key, new Set([...claim.endpoints, ...(last?.endpoints ?? [])]))
  }

  delete(key: Key): readonly Key[] {
    const last = this.#claims.get(key)
    this.#remove(key)
    return last === undefined ? [] : this.#rivals(key, last.endpoints)
  }

  /** The first of the endpoints that is somebody else's. */
  conflict(key: Key, endpoints: readonly string[]): Conflict | null {
    for (const endpoint of endpoints) {
      const holder = this.#winner(endpoint)
      if (holder !== null && holder !== key) return { endpoint, holder }
    }
    return null
  }

  #winner(endpoint: string): Key | null {
    let winner: Key | null = null
    for (const key of this.#claimants.get(endpoint) ?? []) {
      if (winner === null || this.#goesBefore(key, winner, endpoint)) winner = key
    }
    return winner
  }

  #goesBefore(key: Key, other: Key, endpoint: string): boolean {
    const [a, b] = [this.#claims.get(key), this.#claims.get(other)]
    if (a === undefined || b === undefined) return a !== undefined
    if (a.held.has(endpoint) !== b.held.has(endpoint)) return a.held.has(endpoint)
    return a.created === b.created ? key < other : a.created < b.created
  }

  #remove(key: Key): void {
    for (const endpoint of this.#claims.get(key)?.endpoints ?? []) {
      const claimants = this.#claimants.get(endpoint)
      claimants?.delete(key)
      if (claimants?.size === 0) this.#claimants.delete(endpoint)
    }
    this.#claims.delete(key)
  }

  #rivals(key: Key, endpoints: ReadonlySet<string>): readonly Key[] {
    const rivals = new Set<Key>()
    for (const endpoint of endpoints) {
      for (const claimant of this.#claimants.get(endpoint) ?? []) rivals.add(claimant)
    }
    rivals.delete(key)
    return [...rivals]
  }
}

function sameClaim(a: Claim, b: Claim): boolean {
  return a.created === b.created && sameSet(a.endpoints, b.endpoints) && sameSet(a.held, b.held)
}

function sameSet(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  return a.size === b.size && a.isSubsetOf(b)
}
