/**
 * Requests to the API server, by path (paths.ts). Not here: connections and timeouts (connections.ts), and following
 * what changes (list-watch.ts). Every failure is an ApiError; nothing is retried but what a closed idle connection or
 * an expired token spoilt.
 */
import type { Access } from './access.ts'
import { ApiError, ApiErrorCode, errorOfStatus, unavailable } from './api-error.ts'
import type { ApiObject } from './api-object.ts'
import { type Clock, systemClock } from './clock.ts'
import { type Answer, Connections, type Outgoing } from './connections.ts'
import { PAGE_SIZE, REQUEST_TIMEOUT_MS } from './limits.ts'
import { resourceOf } from './paths.ts'
import type { WatchEvent } from './watch-stream.ts'

export type Query = Readonly<Record<string, string | number | boolean | undefined>>

export interface ObjectList {
  readonly items: readonly ApiObject[]
  /** Of the whole list: where a watch goes on from. */
  readonly resourceVersion: string
}

export interface RequestReport {
  readonly verb: Verb
  /** `pods`, `pods/status`, … */
  readonly resource: string
  /** `2xx`, the refusal's status, or `none` without an answer. */
  readonly code: string
  readonly seconds: number
}

export type Verb = 'get' | 'list' | 'watch' | 'create' | 'replace' | 'apply' | 'patch' | 'delete'

export interface ApiServerOptions {
  readonly access: Access
  readonly clock?: Clock
  /** Longest silence in answer to a request. */
  readonly timeoutMs?: number
  readonly userAgent?: string
  readonly onRequest?: (report: RequestReport) => void
}

/** Of one request. */
export interface RequestOptions {
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
}

interface Ask extends RequestOptions {
  readonly verb: Verb
  readonly path: string
  readonly query?: Query
  readonly body?: unknown
  readonly contentType?: string
}

const methods = {
  get: 'GET',
  list: 'GET',
  watch: 'GET',
  create: 'POST',
  replace: 'PUT',
  apply: 'PATCH',
  patch: 'PATCH',
  delete: 'DELETE',
} as const satisfies Record<Verb, string>

export class ApiServer {
  readonly #access: Access
  readonly #clock: Clock
  readonly #timeoutMs: number
  readonly #userAgent: string
  readonly #onRequest: (report: RequestReport) => void
  readonly #connections: Connections

  constructor(options: ApiServerOptions) {
    this.#access = options.access
    this.#clock = options.clock ?? systemClock
    this.#timeoutMs = options.timeoutMs ?? REQUEST_TIMEOUT_MS
    this.#userAgent = options.userAgent ?? 'sipcast'
    this.#onRequest = options.onRequest ?? (() => {})
    this.#connections = new Connections(options.access, this.#clock)
  }

  /** Null where there is no such object. */
  async get(path: string, query: Query = {}, options?: RequestOptions): Promise<ApiObject | null> {
    try {
      return (await this.#ask({ verb: 'get', path, query, ...options })) as ApiObject
    } catch (error) {
      if (error instanceof ApiError && error.code === ApiErrorCode.notFound) return null
      throw error
    }
  }

  /** The whole list at once. Of a long one, `pages` keeps less in memory. */
  async list(path: string, query: Query = {}, options?: RequestOptions): Promise<ObjectList> {
    const items: ApiObject[] = []
    let resourceVersion = ''
    for await (const page of this.pages(path, query, options)) {
      items.push(...page.items)
      resourceVersion = page.resourceVersion
    }
    return { items, resourceVersion }
  }

  /** A list page by page. @throws ApiError `gone` where its later pages are no longer to be had: begin again */
  async *pages(
    path: string,
    query: Query = {},
    options?: RequestOptions,
  ): AsyncGenerator<ObjectList> {
    let from: string | undefined
    do {
      const paged = { limit: PAGE_SIZE, ...query, continue: from }
      const body = await this.#ask({ verb: 'list', path, query: paged, ...options })
      const { metadata, items } = asList(body)
      yield { items, resourceVersion: metadata.resourceVersion ?? '' }
      from = metadata.continue || undefined
    } while (from !== undefined)
  }

  /** @throws ApiError `exists` */
  async create(path: string, object: ApiObject, options?: RequestOptions): Promise<ApiObject> {
    return (await this.#ask({ verb: 'create', path, body: object, ...options })) as ApiObject
  }

  /** Whole, by compare-and-set where the object has a resourceVersion. @throws ApiError `conflict` */
  async replace(path: string, object: ApiObject, options?: RequestOptions): Promise<ApiObject> {
    return (await this.#ask({ verb: 'replace', path, body: object, ...options })) as ApiObject
  }

  /**
   * Server-side apply: the manager's fields become exactly these, others' stay; makes the object where there is none
   * (not its status). Takes fields over from other managers unless `force` is false.
   */
  async apply(
    path: string,
    object: ApiObject,
    options: RequestOptions & { readonly fieldManager: string; readonly force?: boolean },
  ): Promise<ApiObject> {
    const { fieldManager, force = true, ...rest } = options
    const contentType = 'application/apply-patch+yaml'
    const query = { fieldManager, force }
    return (await this.#ask({
      verb: 'apply',
      path,
      query,
      body: object,
      contentType,
      ...rest,
    })) as ApiObject
  }

  /** JSON merge patch (RFC 7386). */
  async patch(path: string, mergePatch: object, options?: RequestOptions): Promise<ApiObject> {
    const contentType = 'application/merge-patch+json'
    return (await this.#ask({
      verb: 'patch',
      path,
      body: mergePatch,
      contentType,
      ...options,
    })) as ApiObject
  }

  /** False where there was nothing to delete. @throws ApiError `conflict` where it is not that very object */
  async delete(
    path: string,
    preconditions: { readonly uid?: string; readonly resourceVersion?: string } = {},
    options?: RequestOptions,
  ): Promise<boolean> {
    const body = { apiVersion: 'v1', kind: 'DeleteOptions', preconditions }
    try {
      await this.#ask({ verb: 'delete', path, body, ...options })
      return true
    } catch (error) {
      if (error instanceof ApiError && error.code === ApiErrorCode.notFound) return false
      throw error
    }
  }

  /** Changes from `query.resourceVersion` on, until the server ends it or is silent for WATCH_SILENCE_MS. */
  async *watch(path: string, query: Query, signal: AbortSignal): AsyncGenerator<WatchEvent> {
    const ask: Ask = { verb: 'watch', path, query: { ...query, watch: 1 }, signal }
    const [response, outgoing] = await this.#authorized(ask, async (outgoing) => {
      const alone = { ...outgoing, isAlone: true }
      const response = await this.#connections.open(alone)
      if (response.statusCode === 200) return [response, alone] as const
      throw errorOf(await this.#connections.read(response, alone))
    })
    yield* this.#connections.events(response, outgoing)
  }

  close(): void {
    this.#connections.close()
  }

  #ask(ask: Ask): Promise<unknown> {
    return this.#authorized(ask, async (outgoing) => {
      const answer = await this.#connections.exchange(outgoing)
      if (answer.status >= 300) throw errorOf(answer)
      return parse(answer)
    })
  }

  /** Sends once, or twice where the token was refused: it may have rotated. */
  async #authorized<T>(ask: Ask, send: (outgoing: Outgoing) => Promise<T>): Promise<T> {
    try {
      return await this.#measured(ask, send)
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 401) throw error
      if (this.#access.renew === undefined) throw error
      this.#access.renew()
      return this.#measured(ask, send)
    }
  }

  async #measured<T>(ask: Ask, send: (outgoing: Outgoing) => Promise<T>): Promise<T> {
    const outgoing = await this.#outgoing(ask)
    const startMs = this.#clock.nowMs()
    let code = 'none'
    try {
      const result = await send(outgoing)
      code = '2xx'
      return result
    } catch (error) {
      if (error instanceof ApiError && error.status !== null) code = `${error.status}`
      throw error
    } finally {
      const seconds = (this.#clock.nowMs() - startMs) / 1000
      this.#onRequest({ verb: ask.verb, resource: resourceOf(ask.path), code, seconds })
    }
  }

  async #outgoing(ask: Ask): Promise<Outgoing> {
    const { verb, path, query = {}, body, contentType = 'application/json', signal } = ask
    const type: Record<string, string> = body === undefined ? {} : { 'content-type': contentType }
    const headers = { accept: 'application/json', 'user-agent': this.#userAgent, ...type }
    return {
      method: methods[verb],
      path: withQuery(path, query),
      headers: { ...headers, ...(await this.#credentials()) },
      timeoutMs: ask.timeoutMs ?? this.#timeoutMs,
      isRepeatable: verb !== 'create' && verb !== 'delete',
      isHasty: verb === 'get' || verb === 'list' || verb === 'watch',
      isRenewable: true,
      signal,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    }
  }

  async #credentials(): Promise<Readonly<Record<string, string>>> {
    try {
      return await this.#access.headers()
    } catch (cause) {
      const message = cause instanceof Error ? cause.message : String(cause)
      throw new ApiError(message, { code: ApiErrorCode.denied, reason: 'NoCredentials', cause })
    }
  }
}

function withQuery(path: string, query: Query): string {
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) search.set(name, `${value}`)
  }
  return search.size === 0 ? path : `${path}?${search.toString()}`
}

function parse(answer: Answer): unknown {
  try {
    return JSON.parse(answer.text)
  } catch (cause) {
    const message = `the API server answered what is no JSON: ${answer.text.slice(0, 80)}`
    throw unavailable(message, 'NoJson', cause)
  }
}

function errorOf({ status, text, retryAfter }: Answer): ApiError {
  let body: unknown
  try {
    body = JSON.parse(text)
  } catch {
    // Proxies in between answer in words.
    body = { message: text.slice(0, 200) || undefined }
  }
  return errorOfStatus(status, body, retryAfter)
}

interface ListBody {
  readonly apiVersion?: string
  readonly kind?: string
  readonly metadata: { readonly resourceVersion?: string; readonly continue?: string }
  readonly items: readonly ApiObject[]
}

/** Items of built-in kinds come without apiVersion and kind: they get those of their list. */
function asList(body: unknown): ListBody {
  const list = body as Partial<ListBody> | null
  if (typeof list?.metadata !== 'object' || (list.items != null && !Array.isArray(list.items))) {
    throw unavailable('the API server answered what is no list', 'NoList')
  }
  const { apiVersion, kind, metadata, items } = list
  const identity = {
    ...(apiVersion === undefined ? {} : { apiVersion }),
    ...(kind === undefined ? {} : { kind: kind.replace(/List$/, '') }),
  }
  return { metadata, items: (items ?? []).map((item) => ({ ...identity, ...item })) }
}
