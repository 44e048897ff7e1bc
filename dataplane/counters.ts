/**
 * The counters of one packet worker, in memory that the main thread reads while the worker writes.
 * Not here: names and labels of metrics (`metrics.ts`). Invariants: only the worker writes; counters only grow.
 *
 *     float64 index:  0      1            2 …                   …                          …
 *                     turns  send errors  verdicts (VERDICT_…)  received, outside | inside  sent   by packet kind
 */

import { Method } from '@sipcast/sip'
import { VERDICT_COUNT } from './verdict.ts'

/** Kinds of packets counted: every Method of `@sipcast/sip`, then responses, then what is no SIP message. */
export const packetKinds: readonly string[] = [...Object.keys(Method), 'response', 'none']
export const PACKET_RESPONSE: number = packetKinds.length - 2
export const PACKET_NONE: number = packetKinds.length - 1

const TURNS_AT = 0
const SEND_ERRORS_AT = 1
const VERDICTS_AT = 2
const FROM_OUTSIDE_AT = VERDICTS_AT + VERDICT_COUNT
const FROM_INSIDE_AT = FROM_OUTSIDE_AT + packetKinds.length
const SENT_AT = FROM_INSIDE_AT + packetKinds.length
const COUNTERS_BYTES: number = (SENT_AT + packetKinds.length) * 8

export class Counters {
  readonly memory: SharedArrayBuffer
  readonly #values: Float64Array

  constructor(memory: SharedArrayBuffer = new SharedArrayBuffer(COUNTERS_BYTES)) {
    this.memory = memory
    this.#values = new Float64Array(memory)
  }

  /** One turn of the worker's loop is over: the heartbeat. */
  turn(): void {
    this.#values[TURNS_AT]!++
  }

  /** The kernel refused to send a datagram, twice. */
  sendFailed(): void {
    this.#values[SEND_ERRORS_AT]!++
  }

  decided(verdict: number): void {
    this.#values[VERDICTS_AT + verdict]!++
  }

  received(isFromInside: boolean, packetKind: number): void {
    this.#values[(isFromInside ? FROM_INSIDE_AT : FROM_OUTSIDE_AT) + packetKind]!++
  }

  sent(packetKind: number): void {
    this.#values[SENT_AT + packetKind]!++
  }

  get turns(): number {
    return this.#values[TURNS_AT]!
  }

  get sendErrors(): number {
    return this.#values[SEND_ERRORS_AT]!
  }

  verdicts(verdict: number): number {
    return this.#values[VERDICTS_AT + verdict]!
  }

  packetsReceived(isFromInside: boolean, packetKind: number): number {
    return this.#values[(isFromInside ? FROM_INSIDE_AT : FROM_OUTSIDE_AT) + packetKind]!
  }

  packetsSent(packetKind: number): number {
    return this.#values[SENT_AT + packetKind]!
  }
}
