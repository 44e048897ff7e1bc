/**
 * What reading one datagram costs: nanoseconds of `scan` per message, on one core, no allocation expected.
 * Run by plain node: `node test/bench/scan.bench.ts`. Short samples, of which the fastest tenth counts: what
 * else runs on the machine then shows in the spread, not in the result.
 */
import { Message, Scan, scan } from '@sipcast/sip'

const SAMPLES = 400
const SCANS_PER_SAMPLE = 1000

const INVITE = [
  'INVITE sip:bob@biloxi.example.com SIP/2.0',
  'Via: SIP/2.0/UDP client.atlanta.example.com:5060;branch=z9hG4bK74bf9;rport',
  'Max-Forwards: 70',
  'Route: <sip:abc@203.0.113.10;lr>, <sip:ss2.example.com;lr>',
  'From: Alice <sip:alice@atlanta.example.com>;tag=9fxced76sl',
  'To: Bob <sip:bob@biloxi.example.com>',
  'Call-ID: 3848276298220188511@atlanta.example.com',
  'CSeq: 1 INVITE',
  'Contact: <sip:alice@client.atlanta.example.com;transport=udp>',
  'User-Agent: Acme Phone 3000/1.2.3',
  'Supported: replaces, outbound, path',
  'Allow: INVITE, ACK, CANCEL, OPTIONS, BYE, REFER, NOTIFY, INFO, MESSAGE',
  'Content-Type: application/sdp',
  'Content-Length: 0',
]

const RESPONSE = [
  'SIP/2.0 200 OK',
  'Via: SIP/2.0/UDP 203.0.113.10;branch=z9hG4bKAbCdEfGhIjKl;rport;s=AAEBAcsAcQoTxMAAAgEUFbDdDw0kU1Gk',
  'Via: SIP/2.0/UDP client.atlanta.example.com:5060;branch=z9hG4bK74bf9;received=192.0.2.1;rport=5060',
  'From: Alice <sip:alice@atlanta.example.com>;tag=9fxced76sl',
  'To: Bob <sip:bob@biloxi.example.com>;tag=8321234356',
  'Call-ID: 3848276298220188511@atlanta.example.com',
  'CSeq: 1 INVITE',
  'Contact: <sip:bob@client.biloxi.example.com;transport=udp>',
  'Content-Length: 0',
]

const BYE = [
  'BYE sip:alice@192.0.2.1:5060 SIP/2.0',
  'v:SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bK1;rport',
  'f:<sip:bob@example.com>;tag=1',
  't:<sip:alice@example.com>;tag=2',
  'i:1@10.0.0.2',
  'CSeq:2 BYE',
  'Max-Forwards:70',
  'l:0',
]

for (const [name, lines] of Object.entries({ INVITE, RESPONSE, BYE })) report(name, lines)

function report(name: string, lines: readonly string[]): void {
  const bytes = new TextEncoder().encode(`${lines.join('\r\n')}\r\n\r\n`)
  const message = new Message()
  const samples = Array.from({ length: SAMPLES }, () => sample(message, bytes)).sort(
    (a, b) => a - b,
  )
  const fast = samples[SAMPLES / 10]!
  const median = samples[SAMPLES / 2]!
  const heapBefore = process.memoryUsage().heapUsed
  for (let i = 0; i < SAMPLES * SCANS_PER_SAMPLE; i++) scan(message, bytes, 0, bytes.length)
  const allocated = (process.memoryUsage().heapUsed - heapBefore) / (SAMPLES * SCANS_PER_SAMPLE)
  console.log(
    `${name.padEnd(9)} ${bytes.length} bytes: ${fast.toFixed(0)} ns/scan (median ${median.toFixed(0)}), ` +
      `${Math.max(0, allocated).toFixed(2)} bytes allocated`,
  )
}

function sample(message: Message, bytes: Uint8Array): number {
  const start = process.hrtime.bigint()
  for (let i = 0; i < SCANS_PER_SAMPLE; i++) {
    if (scan(message, bytes, 0, bytes.length) > Scan.response) throw new Error('not understood')
  }
  return Number(process.hrtime.bigint() - start) / SCANS_PER_SAMPLE
}
