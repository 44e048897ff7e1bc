/**
 * The OPTIONS prober: asks each target at its interval whether it is alive, over one socket per family.
 *
 * It says what came of each probe and judges nothing: rise, fall and panic are the health machine's.
 * All is done in `step`, driven by `start`'s loop or by a test. The port is the prober's alone.
 *
 * - At most one probe per target is under way; a later one never begins before it ended.
 * - An answer is known by the random branch of its Via; late, duplicate and forged ones match none.
 * - What already waits at the socket is read before deadlines are looked at, so a stalled process
 *   does not take its own standstill for that of all proxies; missed turns are not made up for.
 * - New targets begin at a random point of their interval and every interval is up to a tenth
 *   shorter, so thousands of targets don't beat as one. Never longer: design 4 bounds detection by
 *   `interval`·`fall` + `timeout`.
 * - A probe that could not be sent ends as timeout: our own trouble is no hard evidence.
 */

import { ENDPOINT_WORDS, Message } from '@sipcast/sip'
import type { Clock } from './clock.ts'
import { DatagramBatch } from './datagram-batch.ts'
import { DueQueue } from './due-queue.ts'
import { endpointKey } from './endpoint-key.ts'
import { isAboutPeer } from './errno.ts'
import {
  isSameProbe,
  newProbe,
  type Probe,
  ProbeOutcome,
  type ProbeResult,
  type ProbeTarget,
} from './probe.ts'
import { judge, readAnswer } from './probe-answer.ts'
import { writeProbe } from './probe-request.ts'
import { RefusalBatch } from './refusal-batch.ts'
import type { UdpPort } from './udp-port.ts'

export const PROBE_TARGETS_MAX = 1 << 16
const JITTER = 0.1
const BATCH_SIZE = 64
const SLOT_SIZE = 4096
/** What is more waits for the next step, so that a crowd of probes lets answers through in between. */
const BATCHES_PER_STEP_MAX = 8
const PROBES_PER_STEP_MAX = 8 * BATCH_SIZE
const WAIT_MAX_MS = 50
const TIMEOUT_MIN_MS = 1
/** Between two requests of one probe, whoever asks for it. */
const REPEAT_MS = 50
const CSEQ_MAX = 2 ** 31 - 1
/** The magic cookie of RFC 3261 §8.1.1.7. */
const BRANCH_START = 'z9hG4bK'
/** Stands in for the sent-by where a request is only tried for its text. */
const SENT_BY_ANY = '0.0.0.0:5060'

export interface ProbeSocket {
  readonly socket: number
  /** `host:port` for Via: where the socket is bound. */
  readonly sentBy: string
}

export interface OptionsProberOptions {
  readonly port: UdpPort
  /** The socket to probe from, asked before every probe; null if there is none (yet). */
  readonly socketFor: (family: 4 | 6) => ProbeSocket | null
  readonly clock: Pick<Clock, 'nowMs'>
  /** In [0, 1), and hard to guess: branches are made of it. */
  readonly random: () => number
  readonly onResult: (result: ProbeResult) => void
}

export class OptionsProber {
  /** Answers that matched no probe under way: late, duplicate or not ours. */
  strayAnswers = 0
  readonly #options: OptionsProberOptions
  readonly #probes = new Map<string, Probe>()
  readonly #byBranch = new Map<string, Probe>()
  readonly #byEndpoint = new Map<string, Set<Probe>>()
  readonly #queue = new DueQueue<Probe>()
  readonly #answers = batchOfSmallSlots()
  readonly #requests = batchOfSmallSlots()
  readonly #payload = new Uint8Array(SLOT_SIZE)
  readonly #refusals = new RefusalBatch(BATCH_SIZE)
  readonly #message = new Message()
  #isStepping = false
  #loop: Promise<void> | undefined
  #isStopping = false

  constructor(options: OptionsProberOptions) {
    this.#options = options
  }

  /** Probes without an outcome yet. */
  get underWay(): number {
    return this.#byBranch.size
  }

  /**
   * Makes these the targets, ids being unique; targets that stay keep their rhythm. Returns the ids
   * that can't be probed: bad address or URI, or one too many.
   */
  setTargets(targets: readonly ProbeTarget[]): string[] {
    const wanted = new Map(targets.map((target) => [target.id, target]))
    for (const [id, probe] of this.#probes) if (!wanted.has(id)) this.#forget(probe)
    return [...wanted.values()].filter((target) => !this.setTarget(target)).map(({ id }) => id)
  }

  /** Probes it from now on, or as it says now, whatever the others; false if it can't be probed. */
  setTarget(target: ProbeTarget): boolean {
    const old = this.#probes.get(target.id)
    if (old !== undefined && isSameProbe(old.target, target)) {
      const isShorter = target.intervalMs < old.target.intervalMs
      old.target = target
      if (isShorter && old.branch === null) this.#queue.set(old, this.#firstDueMs(target))
      return true
    }
    if (old !== undefined) this.#forget(old)
    const probe = newProbe(target, () => this.#token())
    if (probe === undefined || this.#probes.size >= PROBE_TARGETS_MAX) return false
    if (writeProbe(probe, BRANCH_START, SENT_BY_ANY, this.#payload) < 0) return false
    this.#probes.set(target.id, probe)
    const key = endpointKey(probe.endpoint)
    this.#byEndpoint.set(key, (this.#byEndpoint.get(key) ?? new Set()).add(probe))
    this.#queue.set(probe, this.#firstDueMs(target))
    return true
  }

  dropTarget(id: string): void {
    const probe = this.#probes.get(id)
    if (probe !== undefined) this.#forget(probe)
  }

  /**
   * Probes a target at once. A probe under way is sent once more, unless it was just now, and still ends when it would
   * have: what a proxy had not read when it ended is lost without a word. False if unknown.
   */
  probeNow(id: string): boolean {
    const probe = this.#probes.get(id)
    if (probe === undefined) return false
    const nowMs = this.#options.clock.nowMs()
    if (probe.branch !== null) this.#repeat(probe, nowMs)
    else if (this.#isStepping) this.#queue.set(probe, nowMs)
    else this.#begin(probe, nowMs)
    if (!this.#isStepping) this.#sendRequests()
    return true
  }

  /** Steps until `stop`, waiting at the port in between; the port must be one that doesn't block. */
  start(): void {
    this.#isStopping = false
    this.#loop ??= this.#run()
  }

  /** Resolves when the loop has ended; nothing is reported after that. */
  async stop(): Promise<void> {
    this.#isStopping = true
    await this.#loop
    this.#loop = undefined
  }

  /** Takes answers and refusals, then ends what is overdue and sends what is due; ms until more is. */
  step(): number {
    this.#isStepping = true
    this.#takeAnswers()
    this.#takeRefusals()
    this.#takeTurns()
    this.#isStepping = false
    const next = this.#queue.first()
    return next === undefined ? WAIT_MAX_MS : Math.max(0, next.dueMs - this.#options.clock.nowMs())
  }

  async #run(): Promise<void> {
    while (!this.#isStopping) await this.#options.port.wait(Math.min(this.step(), WAIT_MAX_MS))
  }

  #forget(probe: Probe): void {
    this.#probes.delete(probe.target.id)
    if (probe.branch !== null) this.#byBranch.delete(probe.branch)
    this.#queue.delete(probe)
    const key = endpointKey(probe.endpoint)
    const neighbours = this.#byEndpoint.get(key)!
    neighbours.delete(probe)
    if (neighbours.size === 0) this.#byEndpoint.delete(key)
  }

  #firstDueMs(target: ProbeTarget): number {
    const { clock, random } = this.#options
    return clock.nowMs() + random() * target.intervalMs
  }

  #takeAnswers(): void {
    const answers = this.#answers
    for (let turn = 0; turn < BATCHES_PER_STEP_MAX; turn++) {
      answers.clear()
      if (this.#options.port.receive(answers) === 0) return
      for (let index = 0; index < answers.count; index++) this.#takeAnswer(index)
    }
  }

  #takeAnswer(index: number): void {
    const message = this.#message
    const { bytes, offset, length } = this.#answers
    const start = offset[index]!
    const answer = readAnswer(message, bytes, start, start + length[index]!)
    if (answer === null) return
    const probe = this.#byBranch.get(answer.branch)
    if (probe === undefined) {
      this.strayAnswers++
      return
    }
    this.#end(probe, {
      id: probe.target.id,
      outcome: judge(answer, probe.accepts),
      statusCode: answer.statusCode,
      rttMs: this.#options.clock.nowMs() - probe.sentAtMs,
      retryAfterSeconds: answer.retryAfterSeconds,
    })
  }

  #takeRefusals(): void {
    const refusals = this.#refusals
    for (let turn = 0; turn < BATCHES_PER_STEP_MAX; turn++) {
      refusals.clear()
      if (this.#options.port.refusals(refusals) === 0) return
      for (let index = 0; index < refusals.count; index++) this.#takeRefusal(index)
    }
  }

  #takeRefusal(index: number): void {
    const { errno, peer } = this.#refusals
    if (!isAboutPeer(errno[index]!)) return
    for (const probe of this.#byEndpoint.get(endpointKey(peer, index * ENDPOINT_WORDS)) ?? []) {
      if (probe.branch !== null) this.#endWithoutAnswer(probe, ProbeOutcome.refused)
    }
  }

  #endWithoutAnswer(probe: Probe, outcome: ProbeOutcome): void {
    const { id } = probe.target
    this.#end(probe, { id, outcome, statusCode: null, rttMs: null, retryAfterSeconds: null })
  }

  #end(probe: Probe, result: ProbeResult): void {
    this.#byBranch.delete(probe.branch!)
    probe.branch = null
    const { random, onResult } = this.#options
    const intervalMs = probe.target.intervalMs * (1 - JITTER * random())
    this.#queue.set(probe, probe.sentAtMs + intervalMs)
    onResult(result)
  }

  /** In the order of their time: probes under way are overdue then, the others' turn has come. */
  #takeTurns(): void {
    const nowMs = this.#options.clock.nowMs()
    for (let begun = 0; begun < PROBES_PER_STEP_MAX; ) {
      const probe = this.#queue.first()
      if (probe === undefined || probe.dueMs > nowMs) break
      if (probe.branch !== null) {
        this.#endWithoutAnswer(probe, ProbeOutcome.timeout)
        continue
      }
      this.#begin(probe, nowMs)
      begun++
    }
    this.#sendRequests()
  }

  #begin(probe: Probe, nowMs: number): void {
    probe.branch = BRANCH_START + this.#token()
    probe.cseq = (probe.cseq % CSEQ_MAX) + 1
    probe.sentAtMs = nowMs
    this.#byBranch.set(probe.branch, probe)
    this.#queue.set(probe, nowMs + Math.max(TIMEOUT_MIN_MS, probe.target.timeoutMs))
    this.#request(probe, probe.branch, nowMs)
  }

  #repeat(probe: Probe, nowMs: number): void {
    if (nowMs - probe.requestedAtMs >= REPEAT_MS) this.#request(probe, probe.branch!, nowMs)
  }

  #request(probe: Probe, branch: string, nowMs: number): void {
    probe.requestedAtMs = nowMs
    const socket = this.#options.socketFor(probe.family)
    if (socket === null) return
    if (this.#requests.count === BATCH_SIZE) this.#sendRequests()
    const length = writeProbe(probe, branch, socket.sentBy, this.#payload)
    this.#requests.append(socket.socket, probe.endpoint, 0, this.#payload.subarray(0, length))
  }

  #sendRequests(): void {
    if (this.#requests.count > 0) this.#options.port.send(this.#requests)
    this.#requests.clear()
  }

  /** 64 random bits. */
  #token(): string {
    const { random } = this.#options
    return hexWord(random()) + hexWord(random())
  }
}

function batchOfSmallSlots(): DatagramBatch {
  const bytes = new Uint8Array(BATCH_SIZE * SLOT_SIZE)
  return new DatagramBatch(BATCH_SIZE, { bytes, offset: 0, slotSize: SLOT_SIZE })
}

function hexWord(chance: number): string {
  return Math.floor(chance * 2 ** 32)
    .toString(16)
    .padStart(8, '0')
}
