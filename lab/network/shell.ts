/** Runs `ip` and `nft`, whose messages are worth reading when they fail. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'

/** Rejects with what the command said on standard error. */
export async function run(command: string, args: readonly string[], input = ''): Promise<string> {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] })
  let output = ''
  let errors = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (output += chunk))
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (errors += chunk))
  // A command that fails early does not read its input; its exit code says so better than EPIPE.
  child.stdin.on('error', () => {}).end(input)
  const [code] = await once(child, 'close')
  if (code !== 0) throw new Error(`${command} ${args.join(' ')}: ${errors.trim()}`)
  return output
}

/** `ip` with one line of arguments; none of ours contains a space. */
export async function ip(line: string): Promise<string> {
  return await run('ip', line.split(' '))
}
