/**
 * The flow parameter of the Via that we push: where the request came from and which endpoint of ours it came in on, so
 * that any balancer can send the response back (design 5.2.4, 5.4). Layout and MAC: sealed-record.ts.
 *
 * ```
 * Via: SIP/2.0/UDP 203.0.113.10:5060;rport;branch=z9hG4bKD46M8SeEvcE;s=MAHGM2QHeRjLAHEKE8SS8J6uxmkfcA
 *                                                                         30, 46 or 62 characters
 * ```
 *
 * Bound to branch and Call-ID: it is of no use on a response to anything else. Proxies give unknown Via parameters back
 * intact but reorder them and rewrite `rport`, so nothing else of the Via is under the MAC. Not here: the rest of that
 * Via (dataplane), which responses may use it.
 *
 * Invariants: nothing allocates or throws; a refused parameter leaves its ViaFlow unchanged.
 */
import { ENDPOINT_WORDS } from './address.ts'
import { BRANCH_LENGTH } from './branch.ts'
import type { KeyRing } from './key-ring.ts'
import type { Message } from './message.ts'
import { type Base64urlSink, SealedRecord, SealKind } from './sealed-record.ts'

/** Name of the parameter, as short as can be: an INVITE is near the MTU. */
export const VIA_FLOW_PARAM = 's'

/** Characters of the longest value. */
export const VIA_FLOW_LENGTH_MAX = 62

/** What the parameter says. Made once and refilled. */
export class ViaFlow {
  keyId = 0
  /** The endpoint to answer to. */
  readonly source = new Int32Array(ENDPOINT_WORDS)
  /** The endpoint of ours that the request came in on. */
  readonly local = new Int32Array(ENDPOINT_WORDS)
  /** The branch of our Via, by `writeBranch`: read when writing only. */
  readonly branch = new Uint8Array(BRANCH_LENGTH)
  /** The same bytes, as SipHash takes them. */
  readonly branchView = new DataView(this.branch.buffer)
}

/** Appends `flow` for the request `message`; false, and nothing appended, if `keys` lacks the key it names. */
export function writeViaFlow(
  flow: ViaFlow,
  keys: KeyRing,
  message: Message,
  sink: Base64urlSink,
): boolean {
  record.put(SealKind.viaFlow, flow.keyId, flow.source, flow.local)
  if (!record.begin(keys)) return false
  record.bind(flow.branchView, 0, BRANCH_LENGTH)
  record.bind(message.view, message.callIdStart, message.callIdEnd)
  record.seal(sink)
  return true
}

/** Reads the flow of the top Via of the response `message`; false if that Via has none or isn't ours. */
export function readViaFlow(flow: ViaFlow, keys: KeyRing, message: Message): boolean {
  const via = message.via
  if (via.flowStart < 0 || !record.decode(message.bytes, via.flowStart, via.flowEnd, 0))
    return false
  if (record.kind !== SealKind.viaFlow || !record.begin(keys)) return false
  record.bind(message.view, via.branchStart, via.branchEnd)
  record.bind(message.view, message.callIdStart, message.callIdEnd)
  if (!record.isAuthentic()) return false
  flow.keyId = record.keyId
  record.take(flow.source, flow.local)
  return true
}

const record = new SealedRecord()
