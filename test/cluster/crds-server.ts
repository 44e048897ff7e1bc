/**
 * The API server that SIPCAST_TEST_KUBECONFIG names, as the suite of the CRDs sees it: kubectl, as people use it, and
 * plain HTTP through `kubectl proxy` for the many small questions. Not here: what is asked.
 */
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { promisify } from 'node:util'

const run = promisify(execFile)

export interface Answer {
  readonly ok: boolean
  /** The object, or the Status that refuses it. */
  readonly body: Json
  /** Of a refusal: `field: why`. */
  readonly problems: readonly string[]
}

type Json = Readonly<Record<string, unknown>>

interface Status {
  readonly message: string
  readonly details?: { readonly causes?: readonly { field: string; message: string }[] }
}

export class CrdsServer {
  readonly #proxy
  readonly #url: string

  private constructor(proxy: ReturnType<typeof spawn>, url: string) {
    this.#proxy = proxy
    this.#url = url
  }

  static async reach(): Promise<CrdsServer> {
    const proxy = spawn('kubectl', ['proxy', '--port=0'], { env: environment() })
    const [line] = (await once(proxy.stdout, 'data')) as [Buffer]
    const endpoint = /Starting to serve on (\S+)/.exec(line.toString())?.[1]
    if (endpoint === undefined) throw new Error(`kubectl proxy says: ${line.toString()}`)
    return new CrdsServer(proxy, `http://${endpoint}`)
  }

  /** What kubectl prints. Fails with what it complains about. */
  async kubectl(...args: readonly string[]): Promise<string> {
    return (await run('kubectl', args, { env: environment() })).stdout
  }

  /** Creates it for real, or with `?dryRun=All` for show. Unknown fields are refused, as kubectl does it. */
  create(path: string, object: unknown): Promise<Answer> {
    return this.#send('POST', withStrictness(path), object, 'application/json')
  }

  patch(path: string, patch: unknown): Promise<Answer> {
    return this.#send('PATCH', path, patch, 'application/merge-patch+json')
  }

  /** Server-side apply. */
  apply(path: string, object: unknown, fieldManager: string): Promise<Answer> {
    const query = `${path}?fieldManager=${fieldManager}`
    return this.#send('PATCH', query, object, 'application/apply-patch+yaml')
  }

  /** What `kubectl get -o wide` would print after the patch: text by column. */
  async row(path: string, patch: unknown): Promise<Readonly<Record<string, unknown>>> {
    const table = await this.#send('PATCH', path, patch, 'application/merge-patch+json', AS_TABLE)
    const { columnDefinitions, rows } = table.body as unknown as {
      columnDefinitions: readonly { name: string }[]
      rows: readonly { cells: readonly unknown[] }[]
    }
    const [row] = rows
    return Object.fromEntries(columnDefinitions.map(({ name }, at) => [name, row?.cells[at]]))
  }

  async leave(): Promise<void> {
    const exit = once(this.#proxy, 'exit')
    this.#proxy.kill()
    await exit
  }

  async #send(
    method: string,
    path: string,
    object: unknown,
    contentType: string,
    accept = 'application/json',
  ): Promise<Answer> {
    const headers = { 'Content-Type': contentType, Accept: accept }
    const body = JSON.stringify(object)
    const response = await fetch(`${this.#url}${path}`, { method, headers, body })
    const answer = (await response.json()) as Json
    return { ok: response.ok, body: answer, problems: response.ok ? [] : problemsOf(answer) }
  }
}

const AS_TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io'

function environment() {
  return { ...process.env, KUBECONFIG: process.env['SIPCAST_TEST_KUBECONFIG'] }
}

function withStrictness(path: string): string {
  return `${path}${path.includes('?') ? '&' : '?'}fieldValidation=Strict`
}

function problemsOf(body: Json): readonly string[] {
  const { message, details } = body as unknown as Status
  const unknown = [...message.matchAll(/unknown field "([^"]+)"/g)]
  const causes = details?.causes ?? []
  return [
    ...unknown.map(([, field]) => `${field}: is not a known field`),
    ...causes.map((cause) => `${cause.field}: ${cause.message}`),
  ]
}
