/**
 * Member indices per slot as text: base64 of little-endian u16, slot 0 first. One spelling per array: the alphabet is
 * RFC 4648 §4 with padding, and non-zero bits after the end are refused.
 *
 *     slot      0         1         2
 *     bytes  lo   hi   lo   hi   lo   hi   …
 */

export function encodeSlots(indices: Uint16Array): string {
  const bytes = new Uint8Array(indices.length * 2)
  for (let slot = 0; slot < indices.length; slot++) {
    const index = indices[slot] ?? 0
    bytes[2 * slot] = index
    bytes[2 * slot + 1] = index >>> 8
  }
  return bytes.toBase64()
}

/** Returns null for anything that encodeSlots would not have written for `slotCount` slots. */
export function decodeSlots(text: string, slotCount: number): Uint16Array | null {
  if (text.length !== Math.ceil((slotCount * 2) / 3) * 4) return null
  const bytes = new Uint8Array(slotCount * 2)
  try {
    // Padding and alphabet are checked by `strict`, and white space would leave too few bytes.
    const { written } = bytes.setFromBase64(text, { lastChunkHandling: 'strict' })
    if (written !== bytes.length) return null
  } catch {
    return null // A SyntaxError: not base64. That is all the caller wants to know.
  }
  const indices = new Uint16Array(slotCount)
  for (let slot = 0; slot < slotCount; slot++) {
    indices[slot] = (bytes[2 * slot] ?? 0) | ((bytes[2 * slot + 1] ?? 0) << 8)
  }
  return indices
}
