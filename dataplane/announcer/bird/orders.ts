/**
 * What is wanted of BIRD, as it arrives: BgpPeers of a cluster or of a directory, as objects. Pure. Not here: which of
 * them this node talks to (`peers.ts`). Invariant: an object that is no valid BgpPeer is left out and told of; it
 * breaks no other.
 */

import { type BgpPeer, describeProblems, parseBgpPeer } from '@sipcast/crds'
import type { TroubleOf } from '../../troubles.ts'

export interface ReadPeers {
  readonly peers: readonly BgpPeer[]
  readonly problems: readonly TroubleOf[]
}

export function readPeers(objects: readonly unknown[]): ReadPeers {
  const peers: BgpPeer[] = []
  const problems: TroubleOf[] = []
  for (const object of objects) {
    const parsed = parseBgpPeer(object)
    if (parsed.ok) {
      peers.push(parsed.bgpPeer)
      continue
    }
    const name = nameOf(object)
    const message = `BgpPeer ${name}: ${describeProblems(parsed.problems)}`
    problems.push({ subject: name, reason: 'PeerInvalid', message })
  }
  return { peers, problems }
}

function nameOf(object: unknown): string {
  const { metadata } = Object(object) as { metadata?: { name?: unknown } | null }
  return typeof metadata?.name === 'string' ? metadata.name : 'without a name'
}
