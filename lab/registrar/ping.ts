/**
 * OPTIONS to every registered phone, through its Path, so that NAT bindings stay open; as Kamailio's
 * nathelper sends them, without Max-Forwards.
 */
import { randomBytes } from 'node:crypto'
import type { SipRequest } from '../sip/message.ts'
import { endpointOf, parseNameAddr, parseUri } from '../sip/uri.ts'
import type { Binding } from './location.ts'
import type { Sockets } from './sockets.ts'

export class Ping {
  readonly #timer: NodeJS.Timeout

  constructor(
    sockets: Sockets,
    realm: string,
    intervalMs: number,
    bindings: () => readonly Binding[],
  ) {
    this.#timer = setInterval(() => {
      for (const binding of bindings()) send(sockets, realm, binding)
    }, intervalMs)
  }

  stop(): void {
    clearInterval(this.#timer)
  }
}

function send(sockets: Sockets, realm: string, binding: Binding): void {
  const first = parseUri(parseNameAddr(binding.path[0] ?? '')?.uri ?? binding.contact)
  if (first === null) return
  const target = endpointOf(first)
  const id = randomBytes(8).toString('hex')
  const headers = [
    ...binding.path.map((value) => ({ name: 'route', value })),
    { name: 'from', value: `<sip:ping@${realm}>;tag=${id}` },
    { name: 'to', value: `<${binding.contact}>` },
    { name: 'call-id', value: id },
    { name: 'cseq', value: '1 OPTIONS' },
  ]
  const request: SipRequest = {
    kind: 'request',
    method: 'OPTIONS',
    uri: binding.contact,
    headers,
    body: '',
  }
  sockets.toward(target).request(request, target, { onResponse: () => {}, onTimeout: () => {} })
}
