/**
 * Readers that turn parsed JSON into types: `(value, path) => T`, or a Refusal that names the path. Just what the
 * table needs; resources have zod (crds), which this package must not import.
 */
import { LIST_LENGTH_MAX, STRING_LENGTH_MAX } from './limits.ts'

export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly code = 'refused'
}

export type Read<T> = (value: unknown, path: string) => T

/** A JSON object whose fields are read one by one. */
export interface Fields {
  readonly record: Readonly<Record<string, unknown>>
  read<T>(name: string, reader: Read<T>): T
}

export function refuse(path: string, expected: string): never {
  throw new Refusal(`${path} is not ${expected}`)
}

export function fields(value: unknown, path: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    refuse(path, 'an object')
  }
  const record = value as Readonly<Record<string, unknown>>
  return {
    record,
    read: (name, reader) =>
      reader(Object.hasOwn(record, name) ? record[name] : undefined, `${path}.${name}`),
  }
}

export function integer(min: number, max: number): Read<number> {
  return (value, path) => {
    if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) {
      return value
    }
    return refuse(path, `an integer from ${min} to ${max}`)
  }
}

export function boolean(value: unknown, path: string): boolean {
  return typeof value === 'boolean' ? value : refuse(path, 'true or false')
}

export function string(value: unknown, path: string): string {
  if (typeof value === 'string' && value.length <= STRING_LENGTH_MAX) return value
  return refuse(path, `a string of at most ${STRING_LENGTH_MAX} characters`)
}

export function stringThat(holds: (text: string) => boolean, what: string): Read<string> {
  return (value, path) => {
    const text = string(value, path)
    return holds(text) ? text : refuse(path, what)
  }
}

export function stringMatching(pattern: RegExp, what: string): Read<string> {
  return stringThat((text) => pattern.test(text), what)
}

export function oneOf<T extends string>(closedSet: Readonly<Record<string, T>>): Read<T> {
  const values = Object.values(closedSet)
  return (value, path) =>
    values.find((known) => known === value) ?? refuse(path, `one of ${values.join(', ')}`)
}

export function nullOr<T>(reader: Read<T>): Read<T | null> {
  return (value, path) => (value === null ? null : reader(value, path))
}

export function listOf<T>(reader: Read<T>, lengthMax = LIST_LENGTH_MAX): Read<T[]> {
  return (value, path) => {
    if (!Array.isArray(value) || value.length > lengthMax) {
      return refuse(path, `a list of at most ${lengthMax}`)
    }
    return value.map((item, i) => reader(item, `${path}[${i}]`))
  }
}
