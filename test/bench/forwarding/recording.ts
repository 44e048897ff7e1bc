/**
 * Datagrams as the file that traffic.c reads (its head has the format): who sends what to whom, in which order.
 * Not here: the messages themselves (calls.ts). Invariant: the order is random but the same in every run.
 */
import type { Datagram } from './calls.ts'
import { endpoint, MEMBERS, PHONES } from './setting.ts'

/** Datagrams that one socket sends before it is another's turn. */
const RUN_LENGTH = 4

export function recordingOf(datagrams: readonly Datagram[]): Buffer {
  const sockets = [...PHONES, ...MEMBERS]
  const parts = [word(sockets.length), ...sockets.map(addressOf), word(datagrams.length)]
  for (const { from, to, text } of interleaved(datagrams)) {
    const head = Buffer.alloc(2)
    head.writeUInt16LE(sockets.indexOf(from))
    const length = Buffer.alloc(2)
    length.writeUInt16LE(text.length)
    parts.push(head, addressOf(to), length, Buffer.from(text, 'latin1'))
  }
  return Buffer.concat(parts)
}

/** Runs of RUN_LENGTH datagrams of one sender, of all kinds, shuffled. */
function interleaved(datagrams: readonly Datagram[]): Datagram[] {
  const next = randomFrom(1)
  const runs: { readonly rank: number; readonly run: Datagram[] }[] = []
  for (const from of [...PHONES, ...MEMBERS]) {
    const own = datagrams
      .filter((datagram) => datagram.from === from)
      .map((datagram) => ({ rank: next(), datagram }))
      .toSorted((a, b) => a.rank - b.rank)
      .map(({ datagram }) => datagram)
    for (let at = 0; at < own.length; at += RUN_LENGTH) {
      runs.push({ rank: next(), run: own.slice(at, at + RUN_LENGTH) })
    }
  }
  return runs.toSorted((a, b) => a.rank - b.rank).flatMap(({ run }) => run)
}

/** Numbers in [0, 1), the same for the same seed (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

function word(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}

/** in_addr as it lies in memory, then the port. */
function addressOf(text: string): Buffer {
  const words = endpoint(text)
  const bytes = Buffer.alloc(6)
  bytes.writeInt32BE(words[3]!)
  bytes.writeUInt16LE(words[4]!, 4)
  return bytes
}
