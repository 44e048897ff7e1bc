/**
 * What `forward` alone costs, without any system call: nanoseconds per datagram, by kind.
 *
 *   node test/bench/forwarding/forward-cost.ts [ROUNDS]
 *
 * The best round is nearest to what a quiet machine does; the median shows how busy this one is.
 */
import { argv, memoryUsage } from 'node:process'
import { calls, type Datagram, sipcastRelay } from './calls.ts'
import { PacketPath } from './packet-path.ts'
import { endpoint } from './setting.ts'

const BATCH = 64
const PASSES_PER_ROUND = 20
const rounds = Number(argv[2] ?? 15)

const path = new PacketPath()
const all = calls(sipcastRelay(path))
const mixes: [string, readonly Datagram[]][] = [
  ...(['REGISTER', 'INVITE', '200', 'BYE'] as const).map((kind): [string, Datagram[]] => [
    kind,
    all.filter((datagram) => datagram.kind === kind),
  ]),
  ['mix', all],
]
const costsNs = new Map<string, number[]>(mixes.map(([name]) => [name, []]))
for (let round = -2; round < rounds; round++) {
  for (const [name, datagrams] of mixes) {
    const ns = measure(datagrams)
    if (round >= 0) costsNs.get(name)!.push(ns)
  }
}
for (const [name, datagrams] of mixes) {
  const sorted = costsNs.get(name)!.toSorted((a, b) => a - b)
  const bytes = datagrams.reduce((sum, { text }) => sum + text.length, 0) / datagrams.length
  console.log(
    `${name.padEnd(9)} ${bytes.toFixed(0)} bytes: ` +
      `median ${sorted[rounds >> 1]!.toFixed(0)} ns, best ${sorted[0]!.toFixed(0)} ns`,
  )
}
console.log(`heap ${(memoryUsage().heapUsed / 2 ** 20).toFixed(1)} MiB`)

/** Of the median batch: one that was interrupted does not count. */
function measure(datagrams: readonly Datagram[]): number {
  const ready = datagrams.map(({ from, to, text }) => ({
    from: endpoint(from),
    to,
    bytes: Buffer.from(text, 'latin1'),
  }))
  const costsMs: number[] = []
  for (let pass = 0; pass < PASSES_PER_ROUND; pass++) {
    for (let at = 0; at < ready.length; at += BATCH) {
      path.received.clear()
      for (const { from, to, bytes } of ready.slice(at, at + BATCH)) path.arrive(from, to, bytes)
      const began = performance.now()
      path.forwardAll()
      costsMs.push((performance.now() - began) / path.received.count)
    }
  }
  return costsMs.toSorted((a, b) => a - b)[costsMs.length >> 1]! * 1e6
}
