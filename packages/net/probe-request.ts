/** The OPTIONS that asks a target whether it is alive. */

import { writeOptions } from '@sipcast/sip'
import type { Probe } from './probe.ts'

/** Its length in `out`; -1 if its URIs have characters that none has, or are too long. */
export function writeProbe(probe: Probe, branch: string, sentBy: string, out: Uint8Array): number {
  const { requestUri, fromTag, callId, cseq } = probe
  const from = probe.target.from ?? `sip:sipcast@${sentBy}`
  return writeOptions({ requestUri, sentBy, branch, from, fromTag, callId, cseq }, out, 0)
}
