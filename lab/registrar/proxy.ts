/**
 * The reference proxy: what becomes of a request, in the order of lab/kamailio/kamailio.cfg, whose stand-in
 * it is. What the balancers see of it is the same: answers to the source, Path as Route, Record-Route above
 * the Via, own Route entries popped, diverted calls back to the shared address.
 */
import {
  type SipRequest,
  copyMessage,
  header,
  headerValues,
  setHeader,
  tagOf,
} from '../sip/message.ts'
import { responseTo } from '../sip/respond.ts'
import type { ServerTransaction } from '../sip/server-transaction.ts'
import {
  type Endpoint,
  endpointOf,
  formatEndpoint,
  parseNameAddr,
  parseUri,
  sameEndpoint,
} from '../sip/uri.ts'
import { authenticate } from './authenticate.ts'
import type { Config } from './config.ts'
import { Forwarding, type Target } from './forwarding.ts'
import { type Binding, Location } from './location.ts'
import { Ping } from './ping.ts'
import { Sockets } from './sockets.ts'

export class Proxy {
  readonly #config: Config
  readonly #sockets: Sockets
  readonly #location: Location
  readonly #ping: Ping | null

  static async open(config: Config): Promise<Proxy> {
    return new Proxy(config, await Sockets.open(config))
  }

  constructor(config: Config, sockets: Sockets) {
    this.#config = config
    this.#sockets = sockets
    this.#location = new Location(config.expiresMinSeconds, () => performance.now())
    this.#ping =
      config.pingIntervalSeconds === null
        ? null
        : new Ping(sockets, config.realm, config.pingIntervalSeconds * 1000, () =>
            this.#location.all(),
          )
    sockets.onRequest = (transaction) => this.#route(transaction)
    sockets.onAck = (ack) => this.#routeAck(ack)
  }

  close(): void {
    this.#ping?.stop()
    this.#sockets.close()
  }

  #route(transaction: ServerTransaction): void {
    const { request } = transaction
    const refuse = (status: number, reason: string) => this.#answer(transaction, status, reason)
    const maxForwards = header(request, 'max-forwards')
    if (maxForwards !== null && Number(maxForwards) === 0) return refuse(483, 'Too Many Hops')
    const required = headerValues(request, 'proxy-require')
    if (required.length > 0) return refuse(420, 'Bad Extension')

    // The probes of operator and balancers must not depend on users or secrets.
    const user = parseUri(request.uri)?.user
    if (request.method === 'OPTIONS' && !user) return refuse(200, 'OK')
    if (tagOf(request, 'to') !== null) return this.#routeInDialog(transaction)

    const unauthenticated = authenticate(request, this.#config, Date.now())
    if (unauthenticated !== null) return this.#respond(transaction, unauthenticated)
    if (request.method === 'REGISTER')
      return this.#respond(transaction, this.#location.register(request))
    this.#routeToUser(transaction, user)
  }

  #routeInDialog(transaction: ServerTransaction): void {
    const hops = this.#loose(transaction.request)
    if (hops === null) return this.#answer(transaction, 404, 'Not Here')
    this.#forward(transaction, [{ ...hops, leaves: false }], { record: false })
  }

  #routeAck(ack: SipRequest): void {
    const hops = this.#loose(ack)
    if (hops === null) return
    const copy = copyMessage(ack)
    setHeader(copy, 'route', ...hops.routes)
    this.#sockets.toward(hops.next).sendStateless(copy, hops.next)
  }

  /** Own Route entries popped, and where it goes then (RFC 3261 §16.4, §16.6 step 7); null where nothing was ours. */
  #loose(request: SipRequest): { uri: string; routes: string[]; next: Endpoint } | null {
    const routes = headerValues(request, 'route')
    const rest = routes.slice(routes.findIndex((route) => !this.#isOwn(route)))
    const left = routes.every((route) => this.#isOwn(route)) ? [] : rest
    const { gateway } = this.#config
    const target = parseUri(request.uri)
    // A call to the gateway whose own proxy has died comes to us without a Route entry of ours.
    const isGateways = gateway !== null && target?.host === gateway.address
    if (left.length === routes.length && !isGateways) return null
    const nextUri = left[0] === undefined ? target : parseUri(parseNameAddr(left[0])?.uri ?? '')
    return nextUri === null ? null : { uri: request.uri, routes: left, next: endpointOf(nextUri) }
  }

  #routeToUser(transaction: ServerTransaction, user: string | null | undefined): void {
    const { request } = transaction
    const { forwards, gateway, shared, realm } = this.#config
    if (!user) return this.#answer(transaction, 484, 'Address Incomplete')
    if (!this.#isOurDomain(request.uri)) return this.#answer(transaction, 403, 'Not Our Domain')
    const record = RECORDED.has(request.method)
    const other = forwards.get(user)
    if (other !== undefined && shared !== null) {
      return this.#forward(transaction, [this.#byKey(other, shared)], { record })
    }
    const bindings = this.#location.lookup(user)
    if (bindings.length > 0) {
      return this.#forward(transaction, bindings.map(targetOf), {
        record,
        divert: (contact) => this.#diverted(contact),
      })
    }
    if (gateway !== null && /^\+?[0-9]+$/.test(user)) {
      const uri = `sip:${user}@${formatEndpoint(gateway)}`
      return this.#forward(transaction, [{ uri, routes: [], next: gateway, leaves: true }], {
        record,
      })
    }
    this.#answer(transaction, 404, `Not Found in ${realm}`)
  }

  /** To the user's own proxy, whichever that is: the balancers know. */
  #byKey(user: string, shared: Endpoint): Target {
    return { uri: `sip:${user}@${this.#config.realm}`, routes: [], next: shared, leaves: false }
  }

  /** Where a 302 leads, if it is a user of ours. */
  #diverted(contact: string): Target | null {
    const user = parseUri(contact)?.user
    const { shared } = this.#config
    return user && shared !== null && this.#isOurDomain(contact) ? this.#byKey(user, shared) : null
  }

  #isOurDomain(text: string): boolean {
    const uri = parseUri(text)
    const { realm, shared, listen } = this.#config
    const hosts = [realm, shared?.address, ...listen.map(({ address }) => address)]
    return uri !== null && hosts.includes(uri.host)
  }

  #isOwn(route: string): boolean {
    const uri = parseUri(parseNameAddr(route)?.uri ?? '')
    return uri !== null && this.#config.listen.some((own) => sameEndpoint(own, endpointOf(uri)))
  }

  #forward(
    transaction: ServerTransaction,
    targets: readonly Target[],
    options: { record: boolean; divert?: (contact: string) => Target | null },
  ): void {
    new Forwarding({
      transaction,
      sockets: this.#sockets,
      name: this.#config.name,
      ...options,
    }).start(targets)
  }

  #answer(transaction: ServerTransaction, status: number, reason: string): void {
    this.#respond(transaction, responseTo(transaction.request, status, reason))
  }

  #respond(transaction: ServerTransaction, response: ReturnType<typeof responseTo>): void {
    if (tagOf(response, 'to') === null) {
      const [to = ''] = headerValues(response, 'to')
      setHeader(response, 'to', `${to};tag=${this.#config.name}`)
    }
    setHeader(response, 'server', this.#config.name)
    transaction.respond(response)
  }
}

function targetOf(binding: Binding): Target {
  const first = parseUri(parseNameAddr(binding.path[0] ?? '')?.uri ?? binding.contact)
  if (first === null) throw new Error(`a binding that leads nowhere: ${binding.contact}`)
  return { uri: binding.contact, routes: binding.path, next: endpointOf(first), leaves: true }
}

const RECORDED: ReadonlySet<string> = new Set(['INVITE', 'SUBSCRIBE', 'REFER', 'NOTIFY'])
