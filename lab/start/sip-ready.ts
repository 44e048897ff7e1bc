/** Waits until somebody at this address answers OPTIONS. */
import { randomBytes } from 'node:crypto'
import { openSocket } from '../network/namespace-socket.ts'
import { type Endpoint, formatEndpoint } from '../sip/uri.ts'

const INTERVAL_MS = 50

/** Waits for ever: race it with a time limit. Ends when `signal` does. */
export async function untilAnswered(
  target: Endpoint,
  signal: AbortSignal,
  namespace?: string,
): Promise<void> {
  const wildcard = target.address.includes(':') ? '::' : '0.0.0.0'
  const socket = await openSocket(wildcard, 0, namespace)
  const { port } = socket.address()
  const ask = () => socket.send(probe(target, port), target.port, target.address, () => {})
  const timer = setInterval(ask, INTERVAL_MS)
  ask()
  await new Promise<void>((resolve) => {
    socket.once('message', () => resolve())
    socket.on('error', () => {})
    signal.addEventListener('abort', () => resolve(), { once: true })
  })
  clearInterval(timer)
  socket.close()
}

function probe(target: Endpoint, port: number): string {
  const id = randomBytes(8).toString('hex')
  const host = target.address.includes(':') ? '[::1]' : '127.0.0.1'
  const uri = `sip:${formatEndpoint(target)}`
  return [
    `OPTIONS ${uri} SIP/2.0`,
    `Via: SIP/2.0/UDP ${host}:${port};rport;branch=z9hG4bK${id}`,
    'Max-Forwards: 70',
    `From: <sip:ready@lab.invalid>;tag=${id}`,
    `To: <${uri}>`,
    `Call-ID: ${id}`,
    'CSeq: 1 OPTIONS',
    'Content-Length: 0',
    '\r\n',
  ].join('\r\n')
}
