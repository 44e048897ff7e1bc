/** Endpoint words as keys of maps, off the packet path: cheaper than their text, and as unique. */

import { ENDPOINT_WORDS } from '@sipcast/sip'

export function addressKey(words: Int32Array, at = 0): string {
  return `${words[at]}.${words[at + 1]}.${words[at + 2]}.${words[at + 3]}`
}

export function endpointKey(words: Int32Array, at = 0): string {
  return `${addressKey(words, at)}.${words[at + ENDPOINT_WORDS - 1]}`
}
