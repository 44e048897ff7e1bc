/**
 * What a directory wants of this node's routers: BgpPeers and the node's SipBalancer in DIR/*.yaml, labels of nodes in
 * DIR/node-labels.json. Not here: when to look (`inputs.ts`), YAML (`manifest-file.ts`). Invariants: a file that cannot
 * be read keeps what it said last; what is missing is gone when it stays so for MISSING_MS, since some editors write a
 * file in two steps; of two objects of one name the first by file and position counts.
 */

import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { BGP_PEER_KIND, describeProblems, parseSipBalancer, SIP_BALANCER_KIND } from '@sipcast/crds'
import { readBounded } from '../../../io/bounded-file.ts'
import { fileVersion } from '../../../io/file-version.ts'
import { storeErrorOf } from '../../../io/store-error.ts'
import { isRecord, isText, readJson } from '../../../plain-json.ts'
import { StoreError } from '../../../ports.ts'
import type { TroubleOf } from '../../../troubles.ts'
import type { ReadManifests } from '../inputs.ts'
import { MANIFEST_BYTES_MAX, MISSING_MS } from '../limits.ts'
import { type ManifestFile, readManifest, unreadable } from './manifest-file.ts'
import { isManifestName, LABELS_FILE } from './manifest-names.ts'

interface Known extends ManifestFile {
  /** What tells one state of the file from another. */
  readonly print: string
}

export class ManifestDirectory {
  readonly #path: string
  readonly #node: string
  readonly #absences: Absences
  #files: ReadonlyMap<string, Known> = new Map()
  #labels: Readonly<Record<string, string>> = {}
  #objects: ReadonlyMap<string, unknown> = new Map()
  #isInMaintenance = false
  #wasRead = false

  /** @param node its name, that of its SipBalancer */
  constructor(path: string, node: string, nowMs: () => number) {
    this.#path = path
    this.#node = node
    this.#absences = new Absences(nowMs)
  }

  async read(): Promise<ReadManifests> {
    const problems: TroubleOf[] = []
    try {
      await this.#readFiles()
      this.#wasRead = true
    } catch (error) {
      if (!(error instanceof StoreError)) throw error
      problems.push({ subject: this.#path, reason: 'DirectoryUnreadable', message: error.message })
    }
    if (!this.#wasRead) return { manifests: null, problems }
    for (const file of this.#files.values()) problems.push(...file.problems)
    problems.push(...this.#gather(), ...(await this.#readLabels()), ...this.#readMaintenance())
    const peers = [...this.#objects].filter(([key]) => key.startsWith(`${BGP_PEER_KIND}/`))
    const manifests = {
      peers: peers.map(([, object]) => object),
      nodeLabels: this.#labels,
      isInMaintenance: this.#isInMaintenance,
    }
    return { manifests, problems }
  }

  async #readFiles(): Promise<void> {
    const names = (await this.#list()).filter(isManifestName).toSorted()
    const files = new Map<string, Known>()
    for (const name of names) {
      const file = await this.#readFile(name)
      if (file !== null) files.set(name, file)
    }
    this.#files = files
  }

  async #list(): Promise<readonly string[]> {
    try {
      return await readdir(this.#path)
    } catch (cause) {
      throw storeErrorOf(cause, `cannot read ${this.#path}`)
    }
  }

  /** Null: it is gone. */
  async #readFile(name: string): Promise<Known | null> {
    const path = join(this.#path, name)
    const last = this.#files.get(name)
    const print = await fileVersion(path)
    if (print === null) return null
    if (print === last?.print) return last
    const read = await readText(name, path, print)
    if (read === null) return null
    // What was good in it before goes on for what is broken now.
    const known = new Set(read.objects.map(({ key }) => key))
    const kept = read.problems.length === 0 ? [] : (last?.objects ?? [])
    return {
      print: read.print,
      objects: [...read.objects, ...kept.filter(({ key }) => !known.has(key))],
      problems: read.problems,
    }
  }

  /** Puts what was found into force; what has been missing for a moment only stays. */
  #gather(): readonly TroubleOf[] {
    const problems: TroubleOf[] = []
    const found = new Map<string, unknown>()
    for (const [file, { objects }] of this.#files) {
      for (const { key, object } of objects) {
        if (!found.has(key)) found.set(key, object)
        else {
          const message = `${key} is read from another file; the one in ${file} is ignored`
          problems.push({ subject: key, reason: 'ManifestDuplicate', message })
        }
      }
    }
    for (const [key, object] of this.#objects) {
      if (found.has(key)) this.#absences.found(key)
      else if (!this.#absences.isGone(key)) found.set(key, object)
    }
    this.#objects = found
    return problems
  }

  #readMaintenance(): readonly TroubleOf[] {
    const object = this.#objects.get(`${SIP_BALANCER_KIND}/${this.#node}`)
    if (object === undefined) {
      this.#isInMaintenance = false
      return []
    }
    const parsed = parseSipBalancer(object)
    if (parsed.ok) {
      this.#isInMaintenance = parsed.sipBalancer.spec.maintenance
      return []
    }
    const message = `SipBalancer ${this.#node}: ${describeProblems(parsed.problems)}`
    return [{ subject: this.#node, reason: 'SipBalancerInvalid', message }]
  }

  async #readLabels(): Promise<readonly TroubleOf[]> {
    const failed = (message: string): readonly TroubleOf[] => [
      {
        subject: LABELS_FILE,
        reason: 'NodeLabelsUnreadable',
        message: `${LABELS_FILE}: ${message}`,
      },
    ]
    try {
      const text = await readBounded(join(this.#path, LABELS_FILE), MANIFEST_BYTES_MAX)
      if (text === null) return failed('is too large')
      if (text !== undefined) this.#absences.found(LABELS_FILE)
      else if (!this.#absences.isGone(LABELS_FILE)) return []
      const labels = labelsIn(text ?? '{}', this.#node)
      if (labels === null) return failed('is not {"NODE": {"label": "value"}}')
      this.#labels = labels
      return []
    } catch (error) {
      if (!(error instanceof StoreError)) throw error
      return failed(error.message)
    }
  }
}

/** Of what was there, and is not found now. */
class Absences {
  readonly #nowMs: () => number
  readonly #sinceMs = new Map<string, number>()

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs
  }

  found(what: string): void {
    this.#sinceMs.delete(what)
  }

  /** It has been away for long enough. */
  isGone(what: string): boolean {
    const nowMs = this.#nowMs()
    const sinceMs = this.#sinceMs.get(what) ?? nowMs
    this.#sinceMs.set(what, sinceMs)
    if (nowMs - sinceMs < MISSING_MS) return false
    this.#sinceMs.delete(what)
    return true
  }
}

/** Null where there is no such file any more. */
async function readText(name: string, path: string, print: string): Promise<Known | null> {
  try {
    const text = await readBounded(path, MANIFEST_BYTES_MAX)
    if (text === undefined) return null
    const isTooLarge = text === null
    const tooLarge = `is larger than ${MANIFEST_BYTES_MAX} bytes`
    return { print, ...(isTooLarge ? unreadable(name, tooLarge) : readManifest(name, text)) }
  } catch (error) {
    if (!(error instanceof StoreError)) throw error
    // Of no state of the file: it is read again.
    return { print: '', ...unreadable(name, error.message) }
  }
}

/** Null if it is something else. */
function labelsIn(text: string, node: string): Readonly<Record<string, string>> | null {
  const document = readJson(text)
  const labels = isRecord(document) ? (document[node] ?? {}) : null
  if (!isRecord(labels)) return null
  const areTexts = Object.values(labels).every(isText)
  return areTexts ? (labels as Readonly<Record<string, string>>) : null
}
