/** Which files of a directory are for the announcer: light enough to ask before anything is loaded. */

export const LABELS_FILE = 'node-labels.json'

const MANIFEST = /^[^.].*\.ya?ml$/

export function isManifestName(name: string): boolean {
  return MANIFEST.test(name)
}
