/**
 * Server-side apply, simplified: per manager the object it last applied is remembered; a new one replaces those fields.
 * Lists are replaced whole, but for conditions, which are merged by `type` as their schemas ask. Not here: managers
 * that update or patch (they own nothing), and managedFields in objects.
 */
import { isDeepStrictEqual } from 'node:util'
import { conflict } from './api-refusal.ts'

type Fields = Readonly<Record<string, unknown>>

export interface Application {
  readonly manager: string
  readonly force: boolean
  readonly applied: Fields
}

/** What each manager last applied. */
export type Managers = Map<string, Fields>

/** @throws ApiRefusal 409 where another manager wants another value and `force` is not given */
export function apply(
  current: Fields,
  { manager, force, applied }: Application,
  managers: Managers,
): Fields {
  const others = [...managers].filter(([name]) => name !== manager)
  for (const [name, fields] of others) {
    const contested = firstContested(applied, fields, '')
    if (contested === null) continue
    if (!force)
      throw conflict(`Apply failed with 1 conflict: conflict with "${name}": ${contested}`)
    managers.set(name, without(fields, applied))
  }
  const kept = others.map(([, fields]) => fields)
  const cleared = remove(current, managers.get(manager) ?? {}, applied, kept)
  managers.set(manager, applied)
  return merge(cleared, applied)
}

/** Fields of `last` that are neither applied again nor anybody else's go. */
function remove(current: Fields, last: Fields, applied: Fields, others: readonly Fields[]): Fields {
  const entries = Object.entries(current).flatMap(([name, value]): [string, unknown][] => {
    if (!(name in last)) return [[name, value]]
    const isWanted = name in applied || others.some((other) => name in other)
    const inside = [value, last[name], applied[name] ?? {}].map((each) => asFields(name, each))
    const [mine, before, now] = inside
    if (mine && before && now) {
      const theirs = others
        .map((other) => asFields(name, other[name]))
        .filter((each) => each !== null)
      const left = remove(mine, before, now, theirs)
      return isWanted || Object.keys(left).length > 0 ? [[name, likeBefore(value, left)]] : []
    }
    return isWanted ? [[name, value]] : []
  })
  return Object.fromEntries(entries)
}

function merge(current: Fields, applied: Fields): Fields {
  const merged: Record<string, unknown> = { ...current }
  for (const [name, value] of Object.entries(applied)) {
    const [before, now] = [asFields(name, current[name]), asFields(name, value)]
    merged[name] = before && now ? likeBefore(value, merge(before, now)) : value
  }
  return merged
}

function firstContested(mine: Fields, theirs: Fields, path: string): string | null {
  for (const [name, value] of Object.entries(mine)) {
    if (!(name in theirs) || isIdentity(`${path}.${name}`)) continue
    const [a, b] = [asFields(name, value), asFields(name, theirs[name])]
    const contested =
      a && b
        ? firstContested(a, b, `${path}.${name}`)
        : isDeepStrictEqual(value, theirs[name])
          ? null
          : `${path}.${name}`
    if (contested !== null) return contested
  }
  return null
}

/** What `taken` names is theirs no longer. */
function without(fields: Fields, taken: Fields): Fields {
  const entries = Object.entries(fields).flatMap(([name, value]): [string, unknown][] => {
    const [a, b] = [asFields(name, value), asFields(name, taken[name])]
    if (a && b) return [[name, likeBefore(value, without(a, b))]]
    return name in taken ? [] : [[name, value]]
  })
  return Object.fromEntries(entries)
}

function isIdentity(path: string): boolean {
  return /^\.(apiVersion|kind)$|^\.metadata\.(name|namespace|uid|resourceVersion)$/.test(path)
}

/** An object's fields, or conditions by their type; null: a value without parts. */
function asFields(name: string, value: unknown): Fields | null {
  if (Array.isArray(value)) {
    if (name !== 'conditions') return null
    return Object.fromEntries(value.map((each: { type: string }) => [each.type, each]))
  }
  return typeof value === 'object' && value !== null ? (value as Fields) : null
}

function likeBefore(value: unknown, fields: Fields): unknown {
  return Array.isArray(value) ? Object.values(fields) : fields
}
