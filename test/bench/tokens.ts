/**
 * What tokens, Via flows and branches cost: `node test/bench/tokens.ts`. Prints CPU time per call, the median
 * and the best of the rounds. The messages are an INVITE on its way in, its 200 on the way back, and a BYE; IPv4.
 */
import {
  ascii,
  asText,
  BRANCH_LENGTH,
  KeyRing,
  Message,
  parseEndpointText,
  readToken,
  readViaFlow,
  SipHash,
  scan,
  Token,
  TokenKind,
  ViaFlow,
  Writer,
  writeBranch,
  writeResponse,
  writeToken,
  writeViaFlow,
} from '@sipcast/sip'

const ROUNDS = 15
const CALLS_PER_ROUND = 300_000

const keys = new KeyRing()
keys.add(
  1,
  Uint8Array.from({ length: 16 }, (_, i) => i),
)
const out = new Uint8Array(2048)
const writer = new Writer(out)

const invite = scanned(`INVITE sip:bob@203.0.113.10 SIP/2.0\r
Via: SIP/2.0/UDP 10.1.2.3:5062;rport;branch=z9hG4bK776asdhds\r
Max-Forwards: 70\r
From: <sip:alice@example.com>;tag=1928301774\r
To: <sip:bob@example.com>\r
Call-ID: a84b4c76e66710@pc33.example.com\r
CSeq: 314159 INVITE\r
Contact: <sip:alice@10.1.2.3:5062>\r
User-Agent: Phone 1.0\r
Content-Length: 0\r\n\r\n`)

const token = Object.assign(new Token(), {
  kind: TokenKind.recordRoute,
  keyId: 1,
  member: 0xdeadbeef,
})
parseEndpointText('198.51.100.7:31000', token.flow, 0)
parseEndpointText('203.0.113.10:5060', token.local, 0)
const flow = Object.assign(new ViaFlow(), { keyId: 1 })
flow.source.set(token.flow)
flow.local.set(token.local)
writeBranch(flow.branch, 0, invite)

const tokenText = text(() => writeToken(token, keys, invite, writer))
const bye = scanned(`BYE sip:${tokenText}@203.0.113.10:5060 SIP/2.0\r
Via: SIP/2.0/UDP 10.1.2.9:5060;branch=z9hG4bK1\r
From: <sip:bob@example.com>;tag=2\r
To: <sip:alice@example.com>;tag=1928301774\r
Call-ID: a84b4c76e66710@pc33.example.com\r
CSeq: 1 BYE\r\n\r\n`)
const ok = scanned(`SIP/2.0 200 OK\r
Via: SIP/2.0/UDP 203.0.113.10:5060;rport=5060;received=10.0.0.1;branch=${text(() => writer.slice(flow.branchView, 0, BRANCH_LENGTH))};s=${text(() => writeViaFlow(flow, keys, invite, writer))}\r
Via: SIP/2.0/UDP 10.1.2.3:5062;rport=31000;received=198.51.100.7;branch=z9hG4bK776asdhds\r
From: <sip:alice@example.com>;tag=1928301774\r
To: <sip:bob@example.com>;tag=2\r
Call-ID: a84b4c76e66710@pc33.example.com\r
CSeq: 314159 INVITE\r\n\r\n`)

const hash = new SipHash()
const key = Int32Array.from([0x03020100, 0x07060504, 0x0b0a0908, 0x0f0e0d0c])
const input = new DataView(new ArrayBuffer(512))
const reply = {
  status: 503,
  reason: asText('Service Unavailable'),
  headers: asText('Retry-After: 5\r\n'),
  source: token.flow,
  sourceAt: 0,
}
const readBack = new Token()
const flowBack = new ViaFlow()

measure('SipHash, 60 bytes in two ranges', () => {
  hash.init(key, 0)
  hash.update(input, 0, 22)
  hash.update(input, 22, 60)
  hash.finish()
  return hash.lo
})
measure('SipHash, 512 bytes', () => {
  hash.init(key, 0)
  hash.update(input, 0, 512)
  hash.finish()
  return hash.lo
})
measure('writeToken, Record-Route', () => {
  writer.open(out, 0, out.length)
  return writeToken(token, keys, invite, writer) ? writer.at : -1
})
measure('readToken, Record-Route', () =>
  readToken(readBack, keys, bye, bye.uri.userStart, bye.uri.userEnd) ? readBack.flow[3]! : -1,
)
measure('readToken, refused by its length', () =>
  readToken(readBack, keys, bye, bye.uri.userStart, bye.uri.userEnd - 1) ? -1 : 1,
)
measure(`writeBranch, ${BRANCH_LENGTH} characters`, () => writeBranch(flow.branch, 0, invite))
measure('writeViaFlow', () => {
  writer.open(out, 0, out.length)
  return writeViaFlow(flow, keys, invite, writer) ? writer.at : -1
})
measure('readViaFlow', () => (readViaFlow(flowBack, keys, ok) ? flowBack.source[3]! : -1))
measure('writeResponse, 503', () => writeResponse(invite, out, 0, out.length, reply))

/** Every result is summed up and -1 means the call failed, so nothing is measured that does not happen. */
function measure(name: string, call: () => number): void {
  const perCall: number[] = []
  let sum = 0
  for (let round = 0; round < ROUNDS; round++) {
    const begin = process.threadCpuUsage().user
    for (let i = 0; i < CALLS_PER_ROUND; i++) {
      const result = call()
      if (result === -1) throw new Error(`${name} failed`)
      sum = (sum + result) | 0
    }
    perCall.push(((process.threadCpuUsage().user - begin) * 1000) / CALLS_PER_ROUND)
  }
  perCall.sort((a, b) => a - b)
  const median = perCall[ROUNDS >> 1]!
  const best = perCall[0]!
  console.log(
    `${name.padEnd(36)} ${median.toFixed(0).padStart(6)} ns   best ${best.toFixed(0)} ns   (${sum})`,
  )
}

function scanned(message: string): Message {
  const bytes = ascii(message)
  const view = new Message()
  if (scan(view, bytes, 0, bytes.length) > 1) throw new Error(`malformed: ${message}`)
  return view
}

function text(write: () => void): string {
  writer.open(out, 0, out.length)
  write()
  return new TextDecoder().decode(out.subarray(0, writer.at))
}
