/**
 * One file of manifests, text to objects. Not here: finding files (`manifest-directory.ts`), whether an object is valid
 * (crds). Invariant: never throws; what cannot be read says so with file, document and line.
 */

import { BGP_PEER_KIND, SIP_BALANCER_KIND } from '@sipcast/crds'
import { type Document, parseAllDocuments } from 'yaml'
import type { TroubleOf } from '../../../troubles.ts'
import { MANIFEST_DOCUMENTS_MAX } from '../limits.ts'

export interface ManifestObject {
  /** KIND/NAME. */
  readonly key: string
  readonly object: unknown
}

export interface ManifestFile {
  /** BgpPeers and SipBalancers; all else is somebody else's. */
  readonly objects: readonly ManifestObject[]
  readonly problems: readonly TroubleOf[]
}

const KINDS: readonly unknown[] = [BGP_PEER_KIND, SIP_BALANCER_KIND]

export function readManifest(file: string, text: string): ManifestFile {
  const documents = [parseAllDocuments(text)].flat() as Document[]
  if (documents.length > MANIFEST_DOCUMENTS_MAX) {
    return unreadable(file, `has more than ${MANIFEST_DOCUMENTS_MAX} documents`)
  }
  const read = documents.map((document, index) => {
    const where = documents.length > 1 ? `document ${index + 1}: ` : ''
    return readDocument(file, where, document)
  })
  return {
    objects: read.flatMap(({ objects }) => objects),
    problems: read.flatMap(({ problems }) => problems),
  }
}

export function unreadable(file: string, why: string): ManifestFile {
  const problem = { subject: file, reason: 'ManifestUnreadable', message: `${file}: ${why}` }
  return { objects: [], problems: [problem] }
}

function readDocument(file: string, where: string, document: Document): ManifestFile {
  const [error] = document.errors
  if (error !== undefined) {
    return unreadable(file, `${where}${error.message.split('\n')[0]?.replace(/:$/, '')}`)
  }
  const object = objectOf(document)
  if (object instanceof Error) return unreadable(file, `${where}${object.message}`)
  const { kind, metadata } = Object(object) as { kind?: unknown; metadata?: unknown }
  if (!KINDS.includes(kind)) return { objects: [], problems: [] }
  const { name } = Object(metadata) as { name?: unknown }
  if (typeof name !== 'string') return unreadable(file, `${where}metadata.name is missing`)
  return { objects: [{ key: `${String(kind)}/${name}`, object }], problems: [] }
}

/** The plain value, or the error of making it (an alias bomb, an unresolved alias). */
function objectOf(document: Document): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 })
  } catch (cause) {
    // The message goes into the document's problem.
    return cause instanceof Error ? cause : new Error(String(cause))
  }
}
