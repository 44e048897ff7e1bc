/**
 * What is wanted of BIRD, as it arrives: BgpPeers of a cluster or of a directory, as objects. Pure. Not here: which of
 * them this node talks to (`peers.ts`). Invariant: an object that is no valid BgpPeer is told of, breaks no
 * other, and does not end what it was before.
 */

import { type BgpPeer, describeProblems, parseBgpPeer } from '@sipcast/crds'
import type { TroubleOf } from '../../troubles.ts'

export interface ReadPeers {
  readonly peers: readonly BgpPeer[]
  readonly problems: readonly TroubleOf[]
}

/** @param before what was in force: a BgpPeer that has become invalid goes on as it was */
export function readPeers(objects: readonly unknown[], before: readonly BgpPeer[] = []): ReadPeers {
  const peers: BgpPeer[] = []
  const problems: TroubleOf[] = []
  for (const object of objects) {
    const parsed = parseBgpPeer(object)
    if (parsed.ok) {
      peers.push(parsed.bgpPeer)
      continue
    }
    const name = nameOf(object)
    const last = before.find((one) => one.name === name)
    if (last !== undefined) peers.push(last)
    const stays = last === undefined ? '' : ' It stays as it was.'
    const message = `BgpPeer ${name}: ${describeProblems(parsed.problems)}${stays}`
    problems.push({ subject: name, reason: 'PeerInvalid', message })
  }
  return { peers, problems }
}

function nameOf(object: unknown): string {
  const { metadata } = Object(object) as { metadata?: { name?: unknown } | null }
  return typeof metadata?.name === 'string' ? metadata.name : 'without a name'
}
