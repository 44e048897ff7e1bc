/**
 * The containers of the product's pods from inside: what the kernel says of their processes, what they can write, and
 * what the API server answers to their own tokens. Not here: what is to be expected.
 */
import { type Kubectl, NAMESPACE } from '@sipcast/lab'

export interface Request {
  readonly method?: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE'
  readonly path: string
  readonly body?: object
}

export interface Answer {
  readonly status: number
  /** Of a refusal; empty otherwise. */
  readonly message: string
}

export interface Container {
  readonly pod: string
  readonly name: string
  readonly namespace?: string
}

const ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount'

export class Inside {
  readonly #kubectl: Kubectl

  constructor(kubectl: Kubectl) {
    this.#kubectl = kubectl
  }

  /** The fields of the main process's /proc/PID/status. */
  async process(container: Container): Promise<Readonly<Record<string, string>>> {
    return fieldsOf(await this.run(container, 'cat', '/proc/1/status'))
  }

  /** The same of every process there, by its name. */
  async processes(
    container: Container,
  ): Promise<ReadonlyMap<string, Readonly<Record<string, string>>>> {
    // One that has ended meanwhile is nobody's business.
    const script = 'for one in /proc/[0-9]*; do cat $one/status 2>/dev/null; done; true'
    const text = await this.run(container, 'sh', '-c', script)
    const all = text.split(/^(?=Name:)/m).map(fieldsOf)
    return new Map(all.map((fields) => [fields['Name'] ?? '', fields]))
  }

  /** What became of writing a file into each folder: `EROFS`, …, or `written`. */
  async write(
    container: Container,
    folders: readonly string[],
  ): Promise<Readonly<Record<string, string>>> {
    return JSON.parse(await this.#script(container, WRITE, folders)) as Record<string, string>
  }

  async has(container: Container, path: string): Promise<boolean> {
    const script = `process.stdout.write(String(fs.existsSync(given)))`
    return (await this.#script(container, script, path)) === 'true'
  }

  /** The API server's answers to the container's own token; nothing is really written. */
  async ask(container: Container, requests: readonly Request[]): Promise<readonly Answer[]> {
    return JSON.parse(await this.#script(container, ASK, requests)) as Answer[]
  }

  async #script(container: Container, script: string, given: unknown): Promise<string> {
    const text = `const given = ${JSON.stringify(given)}\n${script}`
    const trust = `NODE_EXTRA_CA_CERTS=${ACCOUNT}/ca.crt`
    return await this.run(container, 'env', trust, 'node', '-e', text)
  }

  /** @throws with the command's words */
  async run(
    { pod, name, namespace = NAMESPACE }: Container,
    ...command: readonly string[]
  ): Promise<string> {
    return await this.#kubectl.run('exec', '-n', namespace, pod, '-c', name, '--', ...command)
  }
}

function fieldsOf(text: string): Readonly<Record<string, string>> {
  const fields = text.split('\n').map((line) => line.split(/:\s+/, 2))
  return Object.fromEntries(fields) as Record<string, string>
}

const WRITE = `
const outcome = {}
for (const folder of given) {
  const path = folder.replace(/\\/?$/, '/sipcast-test')
  try {
    fs.writeFileSync(path, '')
    fs.unlinkSync(path)
    outcome[folder] = 'written'
  } catch ({ code }) {
    outcome[folder] = code
  }
}
process.stdout.write(JSON.stringify(outcome))`

const ASK = `
const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = process.env
const token = fs.readFileSync('${ACCOUNT}/token', 'utf8')
const types = { PATCH: 'application/apply-patch+yaml' }
async function ask({ method = 'GET', path, body }) {
  const url = new URL(path, 'https://' + (host.includes(':') ? '[' + host + ']' : host) + ':' + port)
  if (method !== 'GET') url.searchParams.set('dryRun', 'All')
  if (method === 'PATCH') url.searchParams.set('fieldManager', 'sipcast-test')
  if (method === 'PATCH') url.searchParams.set('force', 'true')
  const headers = { Authorization: 'Bearer ' + token, 'Content-Type': types[method] ?? 'application/json' }
  const response = await fetch(url, { method, headers, body: body && JSON.stringify(body) })
  const answer = await response.text()
  return { status: response.status, message: response.ok ? '' : JSON.parse(answer).message }
}
Promise.all(given.map(ask)).then((answers) => process.stdout.write(JSON.stringify(answers)))`
