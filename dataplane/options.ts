/**
 * Reading command lines: words → options by name. Not here: which options there are (`config.ts`,
 * `announcer/config.ts`). Invariant: whatever is wrong is a UsageError of one sentence.
 */

export interface HostPort {
  readonly host: string
  readonly port: number
}

export class UsageError extends Error {
  override readonly name = 'UsageError'
}

export const Takes = { one: 0, many: 1, nothing: 2 } as const
export type Takes = (typeof Takes)[keyof typeof Takes]

export interface Options {
  readonly values: ReadonlyMap<string, readonly string[]>
  readonly rest: readonly string[]
}

export function readOptions(
  argv: readonly string[],
  known: Readonly<Record<string, Takes>>,
): Options {
  const values = new Map<string, string[]>()
  const rest: string[] = []
  for (let i = 0; i < argv.length; i++) {
    const word = argv[i]!
    if (!word.startsWith('--')) {
      rest.push(word)
      continue
    }
    const equals = word.indexOf('=')
    const option = equals < 0 ? word : word.slice(0, equals)
    const takes = known[option]
    if (takes === undefined) throw new UsageError(`unknown option ${quote(option)}`)
    if (takes !== Takes.many && values.has(option)) throw new UsageError(`${option} is given twice`)
    const value = equals < 0 ? (takes === Takes.nothing ? '' : argv[++i]) : word.slice(equals + 1)
    if (value === undefined) throw new UsageError(`${option} needs a value`)
    values.set(option, [...(values.get(option) ?? []), value])
  }
  return { values, rest }
}

export function hostPort(option: string, text: string): HostPort {
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text)
  const port = Number(match?.[3])
  if (match === null || port > 65_535)
    throw new UsageError(`${option} ${quote(text)} is not HOST:PORT`)
  return { host: (match[1] ?? match[2])!, port }
}

export function required(values: Options['values'], option: string): string {
  const value = single(values, option)
  if (value === null || value === '') throw new UsageError(`${option} is missing`)
  return value
}

export function single(values: Options['values'], option: string): string | null {
  return values.get(option)?.[0] ?? null
}

export function quote(text: string): string {
  return `'${text}'`
}
