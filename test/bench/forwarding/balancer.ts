/**
 * The balancer's packet path as production runs it: one worker thread over the FFI port, with the table of setting.ts.
 * Without tables to watch, probes or metrics: those are not per packet.
 *
 *   node balancer.ts
 *
 * Prints "ready" when its sockets are bound, runs until killed.
 */
import { exit, stdout } from 'node:process'
import { systemClock } from '@sipcast/net'
import { PacketThreads } from '../../../dataplane/io/packet-threads.ts'
import { workerConfig } from './setting.ts'

const threads = new PacketThreads({
  count: 1,
  clock: {
    monotonicMs: () => performance.now(),
    iso: () => new Date().toISOString(),
    after: (delayMs, callback) => systemClock.setTimer(delayMs, callback),
  },
  tell: ({ event, message }) => console.error(event, message),
})
threads.start({
  sockets(_worker, _generation, sockets) {
    const missing = sockets.find(({ state }) => state !== 'Bound')
    if (missing === undefined) return void stdout.write('ready\n')
    console.error(`${missing.address}:${missing.port}: ${missing.message}`)
    exit(1)
  },
  refused: () => undefined,
  changed: () => undefined,
})
threads.configure(0, workerConfig())
