/**
 * The SipProxies of a folder of manifests, as sightings. Knows what each file said last, which of two files a
 * SipProxy is read from, and when a SipProxy counts as gone.
 * Not here: the file system (folder.ts), YAML (manifest.ts), validity (crds).
 * Invariants: a SipProxy is absent only when the folder can be read, no unreadable document could be its own, and it
 * has been missing for ABSENCE_CONFIRM_MS; of two documents for one SipProxy the first by file name and position
 * counts.
 */
import { ABSENCE_CONFIRM_MS } from '../limits.ts'
import type { Clock, Key, Sighting, Tell } from '../ports.ts'
import type { FileChange } from './folder.ts'
import { type ManifestDocument, parseManifest } from './manifest.ts'

interface File {
  readonly text: string | null
  readonly documents: readonly ManifestDocument[]
}

interface Found {
  readonly file: string
  readonly object: unknown
  readonly problem: string | null
}

export interface ManifestsOptions {
  readonly clock: Clock
  readonly tell: Tell
  readonly onChange: (key: Key) => void
  /** Whether SipProxies without a manifest are gone for certain has changed. */
  readonly onDoubt: () => void
}

export class Manifests {
  readonly #clock: Clock
  readonly #tell: Tell
  readonly #onChange: (key: Key) => void
  readonly #onDoubt: () => void
  readonly #files = new Map<string, File>()
  readonly #filesOf = new Map<Key, Set<string>>()
  readonly #found = new Map<Key, Found>()
  /**
   * Since when (monotonic) a key is missing that was here before; what it said then still holds until that is
   * confirmed.
   */
  readonly #missing = new Map<Key, number>()
  readonly #startedMs: number
  #unreadable: string | null = null
  #doubt: string | null = null

  constructor(options: ManifestsOptions) {
    this.#clock = options.clock
    this.#tell = options.tell
    this.#onChange = options.onChange
    this.#onDoubt = options.onDoubt
    this.#startedMs = options.clock.monotonicMs()
  }

  keys(): Iterable<Key> {
    return this.#found.keys()
  }

  sighting(key: Key): Sighting {
    const found = this.#found.get(key)
    if (found !== undefined) {
      return found.problem === null
        ? { kind: 'present', object: found.object, origin: null }
        : { kind: 'unreadable', why: found.problem }
    }
    if (this.#doubt !== null) return { kind: 'unreadable', why: this.#doubt }
    const waitedMs = this.#clock.monotonicMs() - this.#startedMs
    return waitedMs >= ABSENCE_CONFIRM_MS
      ? { kind: 'absent' }
      : { kind: 'unreadable', why: 'its manifest has not been found yet' }
  }

  /** The folder itself can no longer be read, or again. */
  setUnreadable(why: string | null): void {
    this.#unreadable = why
    if (why !== null) this.#tell({ level: 'error', event: 'ManifestsUnreadable', message: why })
    this.#updateDoubt()
  }

  update(changes: readonly FileChange[]): void {
    const touched = new Set<Key>()
    for (const change of changes) this.#updateFile(change, touched)
    for (const key of touched) this.#updateKey(key)
    this.#updateDoubt()
  }

  #updateDoubt(): void {
    const doubt = this.#unreadable ?? this.#namelessProblem()
    const changed = (doubt === null) !== (this.#doubt === null)
    this.#doubt = doubt
    if (changed) this.#onDoubt()
  }

  #updateFile(change: FileChange, touched: Set<Key>): void {
    const last = this.#files.get(change.name)
    if (change.kind === 'text' && change.text === last?.text) return
    const file = fileOf(change)
    for (const { key } of last?.documents ?? []) this.#unlink(key, change.name, touched)
    for (const { key } of file.documents) this.#link(key, change.name, touched)
    if (change.kind === 'gone') this.#files.delete(change.name)
    else this.#files.set(change.name, file)
    for (const { problem } of file.documents) {
      if (problem !== null) {
        this.#tell({ level: 'error', event: 'ManifestUnreadable', message: problem })
      }
    }
  }

  #link(key: Key | null, file: string, touched: Set<Key>): void {
    if (key === null) return
    touched.add(key)
    this.#filesOf.set(key, (this.#filesOf.get(key) ?? new Set()).add(file))
  }

  #unlink(key: Key | null, file: string, touched: Set<Key>): void {
    if (key === null) return
    touched.add(key)
    const files = this.#filesOf.get(key)
    files?.delete(file)
    if (files?.size === 0) this.#filesOf.delete(key)
  }

  #updateKey(key: Key): void {
    const [first, second] = this.#documentsOf(key)
    if (second !== undefined && first !== undefined) {
      const message = `${key} is read from ${first.file}; its other manifest in ${second.file} is ignored`
      this.#tell({ level: 'warn', event: 'ManifestDuplicate', key, message })
    }
    if (first !== undefined) {
      this.#missing.delete(key)
      this.#found.set(key, first)
      this.#onChange(key)
      return
    }
    if (!this.#found.has(key) || this.#missing.has(key)) return
    this.#missing.set(key, this.#clock.monotonicMs())
    this.#clock.after(ABSENCE_CONFIRM_MS, () => this.#confirmAbsence(key))
  }

  #confirmAbsence(key: Key): void {
    const sinceMs = this.#missing.get(key)
    if (sinceMs === undefined) return
    // A timer may be a little early, or of an earlier absence.
    const leftMs = sinceMs + ABSENCE_CONFIRM_MS - this.#clock.monotonicMs()
    if (leftMs > 0) {
      this.#clock.after(leftMs, () => this.#confirmAbsence(key))
      return
    }
    this.#missing.delete(key)
    this.#found.delete(key)
    this.#onChange(key)
  }

  #documentsOf(key: Key): readonly Found[] {
    const found: Found[] = []
    for (const file of [...(this.#filesOf.get(key) ?? [])].toSorted()) {
      for (const document of this.#files.get(file)?.documents ?? []) {
        if (document.key === key) found.push({ file, ...document })
      }
    }
    return found
  }

  /** An unreadable document without a name might be anybody's that is missing. */
  #namelessProblem(): string | null {
    for (const { documents } of this.#files.values()) {
      for (const { key, problem } of documents) {
        if (key === null && problem !== null) return problem
      }
    }
    return null
  }
}

function fileOf(change: FileChange): File {
  if (change.kind === 'gone') return { text: null, documents: [] }
  if (change.kind === 'text') {
    return { text: change.text, documents: parseManifest(change.name, change.text) }
  }
  const problem = change.kind === 'unreadable' ? change.why : `${change.name}: was not read`
  return { text: null, documents: [{ key: null, object: null, problem }] }
}
