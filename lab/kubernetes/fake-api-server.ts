/**
 * A Kubernetes API server in memory, over real HTTP: objects with compare-and-set, lists in pages, watches with
 * bookmarks and a history, selectors, server-side apply (simplified), status apart; and faults on demand. What it
 * answers is held against a real one by test/conformance/kubernetes-api.test.ts.
 * Not here: schemas, defaulting, admission, authorization by roles, controllers: no object changes by itself.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { Access, ApiObject, Verb } from '@sipcast/kube'
import { ApiRefusal, badRequest, expired } from './api-refusal.ts'
import { type Fault, type FaultEffect, Faults } from './faults.ts'
import { ListPages } from './list-pages.ts'
import { idOfTarget, ObjectRequests } from './object-requests.ts'
import { ObjectStore } from './object-store.ts'
import { KNOWN_KINDS, parseTarget, type ResourceKind, type Target } from './resource-kind.ts'
import { parseSelectors } from './selector.ts'
import { WatchFeed } from './watch-feed.ts'

export interface FakeApiServerOptions {
  /** Besides those it knows. */
  readonly kinds?: readonly ResourceKind[]
  /** Between bookmarks; a real server takes a minute. */
  readonly bookmarkMs?: number
  /** Accepted bearer tokens; without them everybody may do everything. */
  readonly tokens?: readonly string[]
}

export interface SeenRequest {
  readonly verb: Verb
  readonly resource: string
  readonly path: string
}

const SEEN_MAX = 100_000
const BOOKMARK_MS = 1_000

export class FakeApiServer {
  readonly store = new ObjectStore()
  readonly faults = new Faults()
  /** Every request since the start, or since somebody emptied it. */
  readonly seen: SeenRequest[] = []
  tokens: readonly string[] | null
  readonly #kinds: readonly ResourceKind[]
  readonly #bookmarkMs: number
  readonly #requests = new ObjectRequests(this.store)
  readonly #pages = new ListPages()
  readonly #feeds = new Set<WatchFeed>()
  readonly #sockets = new Set<Socket>()
  #server: Server | null = null
  #port = 0

  static async start(options: FakeApiServerOptions = {}): Promise<FakeApiServer> {
    const server = new FakeApiServer(options)
    await server.comeBack()
    return server
  }

  private constructor({ kinds = [], bookmarkMs = BOOKMARK_MS, tokens }: FakeApiServerOptions) {
    this.#kinds = [...KNOWN_KINDS, ...kinds]
    this.#bookmarkMs = bookmarkMs
    this.tokens = tokens ?? null
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`
  }

  get access(): Access {
    return { server: this.url, tls: {}, headers: async () => ({}) }
  }

  /** For programs that take `--kubeconfig FILE`. */
  get kubeconfig(): string {
    // Without TLS: client-node insists on being told that this is meant.
    const cluster = { server: this.url, 'insecure-skip-tls-verify': true }
    const user = { name: 'fake', user: { token: this.tokens?.[0] ?? 'anybody' } }
    const context = { name: 'fake', context: { cluster: 'fake', user: 'fake' } }
    return JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'fake', cluster }],
      users: [user],
      contexts: [context],
      'current-context': 'fake',
    })
  }

  get watchCount(): number {
    return this.#feeds.size
  }

  get connectionCount(): number {
    return this.#sockets.size
  }

  inject(fault: Fault): () => void {
    if (fault.effect.kind !== 'staleLists') return this.faults.inject(fault)
    this.#pages.freeze(this.store)
    const end = this.faults.inject(fault)
    return () => {
      end()
      this.#pages.thaw()
    }
  }

  /** An object as it is, status and all, past every rule: what a test begins with, or kubelet would have written. */
  put(path: string, object: ApiObject): ApiObject {
    const target = this.#target(path)
    const { kind, namespace } = target
    const metadata = {
      uid: crypto.randomUUID(),
      creationTimestamp: new Date().toISOString(),
      ...this.store.get(kind, idOfTarget(target))?.metadata,
      ...object.metadata,
      ...(namespace === undefined ? {} : { namespace }),
    }
    return this.store.put(kind, { ...object, metadata })
  }

  /** Away with it, past every rule. */
  take(path: string): void {
    const target = this.#target(path)
    this.store.remove(target.kind, idOfTarget(target))
  }

  /** All that is at a collection's path. */
  objects(path: string): readonly ApiObject[] {
    const { kind, namespace } = this.#target(path)
    return this.store.list(kind, namespace)
  }

  /** Every open watch of these resources, or all. */
  eachWatch(act: (feed: WatchFeed) => void, resource?: string): void {
    const feeds = [...this.#feeds]
    for (const feed of feeds.filter(
      ({ kind }) => resource === undefined || kind.resource === resource,
    ))
      act(feed)
  }

  /** History and pages of lists are forgotten, open watches are told so: 410 everywhere. */
  expire(): void {
    this.store.forgetHistory()
    this.#pages.forget()
    this.eachWatch((feed) => {
      feed.send('ERROR', expired('too old resource version').toStatus())
      feed.endCleanly()
    })
  }

  /** Nobody listens any more, and all connections are reset. */
  async goAway(): Promise<void> {
    const server = this.#server
    if (server === null) return
    this.#server = null
    const closed = new Promise((resolve) => server.close(resolve))
    for (const socket of this.#sockets) socket.resetAndDestroy()
    await closed
  }

  /** At the same port as before. */
  async comeBack(): Promise<void> {
    const server = createServer((request, response) => void this.#serve(request, response))
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => this.#sockets.delete(socket))
    })
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(this.#port, '127.0.0.1', resolve)
    })
    this.#port = (server.address() as AddressInfo).port
    this.#server = server
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const url = new URL(request.url ?? '/', this.url)
      const text = await readText(request)
      if (url.pathname === '/version') return await this.#tellVersion(response)
      this.#authenticate(request)
      const target = this.#target(url.pathname)
      const verb = verbOf(request, url, target)
      this.#note({ verb, resource: target.kind.resource, path: url.pathname + url.search })
      const effect = this.faults.effectOn(verb, target.kind.resource)
      if (effect !== null && (await suffers(effect, response))) return
      const isStale = effect?.kind === 'staleLists'
      if (verb === 'watch') return this.#watch(target, url.searchParams, response)
      const result = this.#carryOut(verb, target, url.searchParams, text, isStale)
      if (effect?.kind !== 'lostAnswer') answer(response, verb === 'create' ? 201 : 200, result)
    } catch (error) {
      if (!(error instanceof ApiRefusal)) throw error
      refuse(response, error)
    }
  }

  /** What clients ask to see whether anybody is there. */
  async #tellVersion(response: ServerResponse): Promise<void> {
    const effect = this.faults.effectOn('get', 'version')
    if (effect !== null && (await suffers(effect, response))) return
    answer(response, 200, { gitVersion: 'fake' })
  }

  #target(path: string): Target {
    return parseTarget(path, this.#kinds)
  }

  #note(request: SeenRequest): void {
    this.seen.push(request)
    if (this.seen.length > SEEN_MAX) this.seen.splice(0, SEEN_MAX / 10)
  }

  #authenticate(request: IncomingMessage): void {
    const token = request.headers.authorization?.replace(/^Bearer /, '')
    if (this.tokens === null || this.tokens.includes(token ?? '')) return
    throw new ApiRefusal(401, 'Unauthorized', 'Unauthorized')
  }

  #carryOut(
    verb: Exclude<Verb, 'watch'>,
    target: Target,
    query: URLSearchParams,
    text: string,
    isStale: boolean,
  ): object {
    if (verb === 'get') return this.#requests.get(target)
    if (verb === 'list') return this.#pages.list(this.store, target, query, isStale)
    const body = parseBody(text)
    switch (verb) {
      case 'create':
        return this.#requests.create(target, body as ApiObject)
      case 'replace':
        return this.#requests.replace(target, body as ApiObject)
      case 'patch':
        return this.#requests.patch(target, body)
      case 'apply': {
        const fieldManager = query.get('fieldManager')
        const force = query.get('force') === 'true'
        return this.#requests.apply(target, body as ApiObject, { fieldManager, force })
      }
      case 'delete':
        return this.#delete(target, body as { preconditions?: object })
    }
  }

  #delete(target: Target, { preconditions }: { preconditions?: object }): object {
    const deleted = this.#requests.delete(target, preconditions)
    if (target.kind.kind === 'Namespace') this.#emptyNamespace(target.name ?? '')
    return deleted
  }

  #emptyNamespace(namespace: string): void {
    for (const kind of this.#kinds.filter(({ isNamespaced }) => isNamespaced)) {
      for (const { metadata } of this.store.list(kind, namespace)) {
        this.#requests.delete({ kind, namespace, name: metadata.name, isStatus: false })
      }
    }
  }

  #watch(target: Target, query: URLSearchParams, response: ServerResponse): void {
    const { kind, namespace } = target
    const selector = parseSelectors(query.get('labelSelector'), query.get('fieldSelector'))
    const wantsBookmarks = ['1', 'true'].includes(query.get('allowWatchBookmarks') ?? '')
    const feed = new WatchFeed({ response, kind, namespace, selector, wantsBookmarks })
    response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders()
    const from = Number(query.get('resourceVersion') ?? 0)
    const changes = from === 0 ? this.#asChanges(kind) : this.store.changesSince(from)
    if (changes === null) {
      feed.send(
        'ERROR',
        expired(`too old resource version: ${from} (${this.store.version})`).toStatus(),
      )
      return feed.endCleanly()
    }
    for (const change of changes) feed.see(change)
    this.#feeds.add(feed)
    const stopListening = this.store.onChange((change) => feed.see(change))
    const bookmarks = setInterval(() => feed.bookmark(this.store.version), this.#bookmarkMs)
    const seconds = Number(query.get('timeoutSeconds') ?? 1800)
    const ending = setTimeout(() => feed.endCleanly(), seconds * 1000)
    response.on('close', () => {
      clearInterval(bookmarks)
      clearTimeout(ending)
      stopListening()
      this.#feeds.delete(feed)
    })
  }

  /** What a watch without a version begins with: all there is. */
  #asChanges(kind: ResourceKind) {
    const { version } = this.store
    return this.store.list(kind).map((after) => ({ version, kind, before: null, after }))
  }
}

/** Whether the request ends there. */
async function suffers(effect: FaultEffect, response: ServerResponse): Promise<boolean> {
  switch (effect.kind) {
    case 'reset':
      response.socket?.resetAndDestroy()
      return true
    case 'hangUp':
      response.socket?.end()
      return true
    case 'silence':
      return true
    case 'garbage':
      response.writeHead(200).end('{"kind": "List", "items": [garbled\n')
      return true
    case 'refusal': {
      const { status, reason = 'Injected', retryAfterSeconds = null } = effect
      throw new ApiRefusal(status, reason, `injected: ${reason}`, retryAfterSeconds)
    }
    case 'delay':
      await new Promise((resolve) => setTimeout(resolve, effect.ms))
      return false
    case 'lostAnswer':
    case 'staleLists':
      return false
  }
}

const verbByMethod: Readonly<Record<string, Verb>> = {
  POST: 'create',
  PUT: 'replace',
  DELETE: 'delete',
}

function verbOf({ method = '', headers }: IncomingMessage, url: URL, { name }: Target): Verb {
  const isWatch = ['1', 'true'].includes(url.searchParams.get('watch') ?? '')
  if (method === 'GET') return name !== undefined ? 'get' : isWatch ? 'watch' : 'list'
  if (method === 'PATCH') return patchVerb(headers['content-type'])
  const verb = verbByMethod[method]
  if (verb === undefined) throw new ApiRefusal(405, 'MethodNotAllowed', `${method} is not allowed`)
  return verb
}

function patchVerb(contentType: string | undefined): Verb {
  if (contentType === 'application/apply-patch+yaml') return 'apply'
  if (contentType === 'application/merge-patch+json') return 'patch'
  throw new ApiRefusal(415, 'UnsupportedMediaType', `not a patch of this server: ${contentType}`)
}

function parseBody(text: string): unknown {
  try {
    return JSON.parse(text === '' ? '{}' : text)
  } catch (error) {
    throw badRequest(`the body is no JSON: ${(error as Error).message}`)
  }
}

async function readText(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

function answer(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

function refuse(response: ServerResponse, refusal: ApiRefusal): void {
  const { status, retryAfterSeconds } = refusal
  if (retryAfterSeconds !== null) response.setHeader('retry-after', retryAfterSeconds)
  answer(response, status, refusal.toStatus())
}
