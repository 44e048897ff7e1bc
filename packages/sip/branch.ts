/**
 * The branch of the Via that we push and the To tag of replies that we make ourselves: functions of the request alone,
 * since nobody here remembers it. Not secrets: their SipHash keys are public constants, so that branch and tag are the
 * same on every balancer, whatever keys its ring holds and whichever of them signs.
 *
 * Branch (RFC 3261 §16.11): equal for a request, its retransmissions, its CANCEL and the ACK to its non-2xx response,
 * whichever balancer they pass, and different for all else. It is a hash of
 *
 * ```
 * lengths of the four texts, sent-by port, CSeq number        six words, little-endian
 * top Via branch | sent-by host | Call-ID | From tag          bytes as they came
 * ```
 *
 * Never of source, slot or balancer, which may change between INVITE and CANCEL; nor of Request-URI and To tag, which
 * §16.11 adds for an RFC 2543 top Via (no magic cookie, or no branch): the ACK has another To tag than its INVITE, and
 * Call-ID, From tag and CSeq number already tell that client's transactions apart.
 *
 * Local tag (RFC 3261 §8.2.7: the same for the same request): a hash of Call-ID, From tag and CSeq number, likewise
 * with lengths in front. The ACK to a reply of ours repeats all three and the tag itself, so any balancer can absorb
 * it. Whoever forges it has only an ACK of his own absorbed.
 *
 * Invariants: nothing allocates or throws.
 */
import { ascii, asText, type Text } from './ascii.ts'
import type { Message } from './message.ts'
import { SipHash } from './siphash.ts'
import { Writer } from './writer.ts'

/** The magic cookie and 11 digits of a 64-bit hash. */
export const BRANCH_LENGTH = 18

/** LOCAL_TAG_PREFIX and 11 digits of a 64-bit hash. */
export const LOCAL_TAG_LENGTH = 14

/** Writes our branch for the request `message` to BRANCH_LENGTH bytes of `out`; returns the offset after it. */
export function writeBranch(out: Uint8Array, at: number, message: Message): number {
  const { view, via } = message
  words.setInt32(0, via.branchEnd - via.branchStart, true)
  words.setInt32(4, via.hostEnd - via.hostStart, true)
  words.setInt32(8, message.callIdEnd - message.callIdStart, true)
  words.setInt32(12, message.fromTagEnd - message.fromTagStart, true)
  words.setInt32(16, via.port, true)
  words.setInt32(20, message.cseq, true)
  hash.init(BRANCH_KEY, 0)
  hash.update(words, 0, 24)
  hash.update(view, via.branchStart, via.branchEnd)
  hash.update(view, via.hostStart, via.hostEnd)
  hash.update(view, message.callIdStart, message.callIdEnd)
  hash.update(view, message.fromTagStart, message.fromTagEnd)
  return writeHash(MAGIC_COOKIE, out, at)
}

/** Writes the To tag of our own reply to `message` to LOCAL_TAG_LENGTH bytes of `out`; returns the offset after it. */
export function writeLocalTag(out: Uint8Array, at: number, message: Message): number {
  const { view } = message
  words.setInt32(0, message.callIdEnd - message.callIdStart, true)
  words.setInt32(4, message.fromTagEnd - message.fromTagStart, true)
  words.setInt32(8, message.cseq, true)
  hash.init(LOCAL_TAG_KEY, 0)
  hash.update(words, 0, 12)
  hash.update(view, message.callIdStart, message.callIdEnd)
  hash.update(view, message.fromTagStart, message.fromTagEnd)
  return writeHash(LOCAL_TAG_PREFIX, out, at)
}

/** Whether the To tag of `message` is the one of our own reply: then an ACK is absorbed (design 5.2.1). */
export function localTagMatches(message: Message): boolean {
  if (message.toTagEnd - message.toTagStart !== LOCAL_TAG_LENGTH) return false
  writeLocalTag(expectedTag, 0, message)
  for (let i = 0; i < LOCAL_TAG_LENGTH; i++) {
    if (message.bytes[message.toTagStart + i] !== expectedTag[i]) return false
  }
  return true
}

/** RFC 3261 §8.1.1.7. */
const MAGIC_COOKIE = asText('z9hG4bK')

/** For human readers of traces; programs compare the hash. */
const LOCAL_TAG_PREFIX = asText('sc-')

const BRANCH_KEY = publicKey('sipcast branch 1')
const LOCAL_TAG_KEY = publicKey('sipcast to-tag 1')

const hash = new SipHash()
const scratch = new Uint8Array(24)
const words = new DataView(scratch.buffer)
const expectedTag = new Uint8Array(LOCAL_TAG_LENGTH)
const writer = new Writer(scratch)

function writeHash(prefix: Text, out: Uint8Array, at: number): number {
  hash.finish()
  words.setInt32(0, hash.lo, true)
  words.setInt32(4, hash.hi, true)
  writer.open(out, at, out.length)
  writer.text(prefix)
  writer.base64url(words, 0, 8)
  return writer.at
}

/** Sixteen ASCII characters as a SipHash key. */
function publicKey(text: string): Int32Array {
  const bytes = new DataView(ascii(text).buffer)
  return Int32Array.from([0, 4, 8, 12], (at) => bytes.getInt32(at, true))
}
