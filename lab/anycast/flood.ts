/**
 * A program that floods a shared address from many ports at once, as fast as this machine can: `node flood.ts SOURCE
 * TARGET SECONDS`, in the network namespace of the source. Prints how many datagrams it sent. What it sends is to be
 * forwarded: requests to users that nobody has.
 */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import process from 'node:process'

const SOCKETS = 48
const BATCH = 32
const PORT = 5060

const [source = '', target = '', seconds = '1'] = process.argv.slice(2)
const isIPv6 = target.includes(':')
const host = isIPv6 ? `[${source}]` : source
const sockets = await Promise.all(
  Array.from({ length: SOCKETS }, async () => {
    const socket = createSocket(isIPv6 ? 'udp6' : 'udp4')
    socket.on('error', () => {})
    socket.bind(0, source)
    await once(socket, 'listening')
    return socket
  }),
)
const endMs = performance.now() + Number(seconds) * 1_000
let sent = 0
while (performance.now() < endMs) {
  for (const socket of sockets) {
    for (let count = 0; count < BATCH; count++) {
      socket.send(requestOf(sent++, socket.address().port), PORT, target, () => {})
    }
  }
  await new Promise(setImmediate)
}
console.log(sent)
process.exit(0)

function requestOf(number: number, port: number): Buffer {
  return Buffer.from(
    [
      `MESSAGE sip:flood-${number}@sipcast.test SIP/2.0`,
      `Via: SIP/2.0/UDP ${host}:${port};rport;branch=z9hG4bKflood${number}`,
      'Max-Forwards: 70',
      `From: <sip:flood@sipcast.test>;tag=flood${number}`,
      `To: <sip:flood-${number}@sipcast.test>`,
      `Call-ID: flood-${number}`,
      'CSeq: 1 MESSAGE',
      'Content-Length: 0',
      '\r\n',
    ].join('\r\n'),
  )
}
