/** Reads `--address-pools FILE`: YAML or JSON, `[{cidr, namespaces?: [..]}]`. Not here: what it allows. */
import { readFile } from 'node:fs/promises'
import { parse } from 'yaml'
import { type AddressPool, AddressPools } from '../address-pools.ts'
import { RefusedError } from './skin.ts'

/** @param path null: no address may be used. @throws RefusedError */
export async function readAddressPools(path: string | null): Promise<AddressPools> {
  if (path === null) return new AddressPools([])
  try {
    return new AddressPools(poolsOf(parse(await readFile(path, 'utf8'))))
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new RefusedError(`--address-pools ${path} cannot be used: ${why}`, { cause })
  }
}

function poolsOf(document: unknown): readonly AddressPool[] {
  if (document === null || document === undefined) return []
  if (!Array.isArray(document)) throw new TypeError('it is no list of {cidr, namespaces}')
  return document.map((entry: unknown, index) => poolOf(entry, index))
}

function poolOf(entry: unknown, index: number): AddressPool {
  if (typeof entry !== 'object' || entry === null || !('cidr' in entry)) {
    throw new TypeError(`entry ${index + 1} has no cidr`)
  }
  const { cidr, namespaces, ...strange } = entry as Record<string, unknown>
  const [unknown] = Object.keys(strange)
  if (unknown !== undefined)
    throw new TypeError(`entry ${index + 1} has an unknown field, ${unknown}`)
  if (typeof cidr !== 'string') throw new TypeError(`the cidr of entry ${index + 1} is no text`)
  if (namespaces === undefined || namespaces === null) return { cidr }
  if (!Array.isArray(namespaces) || !namespaces.every((name) => typeof name === 'string')) {
    throw new TypeError(`namespaces of entry ${index + 1} is no list of names`)
  }
  return { cidr, namespaces }
}
