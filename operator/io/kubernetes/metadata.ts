/** What is read alike from the metadata of every kind of object. Pure. */

/** Of the many that tools put there (kubectl a copy of the whole object), those that are ours. */
export function ownAnnotations(
  annotations: Readonly<Record<string, string>> | undefined,
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(annotations ?? {}).filter(([key]) => key.startsWith('sipcast.io/')),
  )
}

/** Versions that are no numbers cannot be compared: another one then counts as newer. */
export function isNewer(version: string, than: string): boolean {
  return version !== than && !(Number(version) < Number(than))
}
