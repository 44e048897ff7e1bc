/**
 * One manifest file, text to documents. Not here: whether a document is a valid SipProxy (crds), and finding files
 * (manifests.ts).
 * Invariant: never throws; a document that cannot be read says so with file, document and line, and keeps its name
 * where that can still be seen.
 */
import { SIP_PROXY_KIND } from '@sipcast/crds'
import { type Document, parseAllDocuments } from 'yaml'
import { MANIFEST_DOCUMENTS_MAX } from '../limits.ts'
import type { Key } from '../ports.ts'

export interface ManifestDocument {
  /** Null where no name could be made out. */
  readonly key: Key | null
  readonly object: unknown
  /** Why this document says nothing; null where it can be read. */
  readonly problem: string | null
}

/** The SipProxies of a file; documents of other kinds are somebody else's and left out. */
export function parseManifest(file: string, text: string): readonly ManifestDocument[] {
  const documents = [parseAllDocuments(text)].flat() as Document[]
  if (documents.length > MANIFEST_DOCUMENTS_MAX) {
    const problem = `${file}: has ${documents.length} documents; at most ${MANIFEST_DOCUMENTS_MAX} can be read`
    return [{ key: null, object: null, problem }]
  }
  return documents.flatMap((document, index) => {
    const where = documents.length > 1 ? `${file}, document ${index + 1}` : file
    return parseDocument(where, document)
  })
}

function parseDocument(where: string, document: Document): readonly ManifestDocument[] {
  const object = objectOf(document)
  const [error] = document.errors
  if (error !== undefined) {
    const problem = `${where}: ${error.message.split('\n')[0]?.replace(/:$/, '')}`
    return [{ key: keyOf(object), object: null, problem }]
  }
  if (object instanceof Error) {
    return [{ key: null, object: null, problem: `${where}: ${object.message}` }]
  }
  if (object === null || object === undefined) return []
  if (field(object, 'kind') === undefined) {
    return [{ key: keyOf(object), object: null, problem: `${where}: has no kind` }]
  }
  if (field(object, 'kind') !== SIP_PROXY_KIND) return []
  const key = keyOf(object)
  return key === null
    ? [{ key, object: null, problem: `${where}: metadata.name is missing` }]
    : [{ key, object, problem: null }]
}

/** The plain value, or the error of making it (an alias bomb, an unresolved alias). */
function objectOf(document: Document): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 })
  } catch (cause) {
    // The message goes into the document's problem: see parseDocument.
    return cause instanceof Error ? cause : new Error(String(cause))
  }
}

function keyOf(object: unknown): Key | null {
  const metadata = field(object, 'metadata')
  const name = field(metadata, 'name')
  const namespace = field(metadata, 'namespace') ?? 'default'
  if (typeof name !== 'string' || typeof namespace !== 'string') return null
  return isPathSafe(name) && isPathSafe(namespace) && !namespace.includes('.')
    ? `${namespace}/${name}`
    : null
}

/** A key becomes a file name, whatever else is wrong with the object. */
function isPathSafe(text: string): boolean {
  return /^[A-Za-z0-9][-A-Za-z0-9_.]{0,252}$/.test(text)
}

function field(object: unknown, name: string): unknown {
  if (typeof object !== 'object' || object === null) return undefined
  return (object as Record<string, unknown>)[name]
}
