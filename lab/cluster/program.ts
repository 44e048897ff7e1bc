/**
 * The outside programs that a cluster takes: docker, kind, kubectl, helm. Runs one and hands back what it printed;
 * where it fails, its own last words are the error. Not here: what is done with them.
 */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'

const remedies = {
  docker: 'a Docker engine, and the right to use it: https://docs.docker.com/engine/install/',
  kind: 'https://kind.sigs.k8s.io/docs/user/quick-start/#installation',
  kubectl: 'https://kubernetes.io/docs/tasks/tools/',
  helm: 'https://helm.sh/docs/intro/install/',
} as const
export type Program = keyof typeof remedies

export interface RunOptions {
  readonly input?: string
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  /** Gets each piece of standard error as it comes, for a program that tells of its progress there. */
  readonly onWords?: (words: string) => void
}

const WORDS_LINES_MAX = 25

class ProgramError extends Error {
  readonly code = 'PROGRAM_FAILED'
  constructor(command: string, args: readonly string[], exit: number | string, words: string) {
    const last = words.trim().split('\n').slice(-WORDS_LINES_MAX).join('\n')
    super(`${command} ${args.join(' ')} (ended: ${exit})\n${last}`)
    this.name = 'ProgramError'
  }
}

/** One line for each that is missing or does not answer, with what to do about it. */
export function missingPrograms(programs: readonly Program[]): string[] {
  const versions: Record<Program, readonly string[]> = {
    docker: ['version', '--format', '{{.Server.Version}}'],
    kind: ['version'],
    kubectl: ['version', '--client'],
    helm: ['version', '--short'],
  }
  return programs.flatMap((program) => {
    const { error, status, stderr } = spawnSync(program, versions[program], { encoding: 'utf8' })
    if (error === undefined && status === 0) return []
    const why = error === undefined ? stderr.trim().split('\n').at(-1) : 'not installed'
    return [`${program}: ${why} (${remedies[program]})`]
  })
}

/** What it printed. @throws ProgramError with its last words */
export async function run(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<string> {
  const child = spawn(command, args, {
    stdio: ['pipe', 'pipe', 'pipe'],
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
  })
  let output = ''
  let words = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    output += chunk
    words += chunk
  })
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    words += chunk
    options.onWords?.(chunk)
  })
  // A program that fails early does not read its input; its exit code says so better than EPIPE.
  child.stdin.on('error', () => {}).end(options.input ?? '')
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null]
  if (code !== 0) throw new ProgramError(command, args, code ?? signal ?? 'unknown', words)
  return output
}
