/** Metrics of the packet path: datagrams, verdicts, sockets, workers. */

import { packetKinds } from '../counters.ts'
import type { SocketReport } from '../worker-config.ts'
import { SocketState } from '../worker-config.ts'
import { verdictNames } from '../verdict.ts'
import { type Labels, type Metric, type Sample, sumOf } from './metric.ts'

export const packetMetrics: readonly Metric[] = [
  {
    name: 'sipcast_balancer_packets_received_total',
    kind: 'counter',
    labels: ['side', 'kind'],
    help: 'Datagrams received, by the side they came from and by method, response or none (no SIP message).',
    samples: (state) =>
      packetKinds.flatMap((kind, index): Sample[] => [
        [{ side: 'outside', kind }, sumOf(state, (one) => one.packetsReceived(false, index))],
        [{ side: 'inside', kind }, sumOf(state, (one) => one.packetsReceived(true, index))],
      ]),
  },
  {
    name: 'sipcast_balancer_packets_sent_total',
    kind: 'counter',
    labels: ['kind'],
    help: 'Datagrams sent on or answered, by the kind of the datagram that led to them.',
    samples: (state) =>
      packetKinds.map((kind, index) => [{ kind }, sumOf(state, (one) => one.packetsSent(index))]),
  },
  {
    name: 'sipcast_balancer_verdicts_total',
    kind: 'counter',
    labels: ['verdict'],
    help: 'What became of datagrams: every one received counts once.',
    samples: (state) =>
      verdictNames.map((verdict, index) => [
        { verdict },
        sumOf(state, (one) => one.verdicts(index)),
      ]),
  },
  {
    name: 'sipcast_balancer_send_errors_total',
    kind: 'counter',
    labels: [],
    help: 'Datagrams that the kernel refused to send, twice.',
    samples: (state) => [[{}, sumOf(state, (one) => one.sendErrors)]],
  },
  {
    name: 'sipcast_balancer_kernel_drops_total',
    kind: 'counter',
    labels: ['role', 'address', 'port'],
    help: 'Datagrams that the kernel dropped because the queue of a socket was full.',
    samples: ({ sockets }) =>
      sockets.merged().map((socket) => [labelsOf(socket), socket.kernelDrops]),
  },
  {
    name: 'sipcast_balancer_socket_bound',
    kind: 'gauge',
    labels: ['role', 'address', 'port'],
    help: '1: every worker has this address bound; 0: the report says why not.',
    samples: ({ sockets }) =>
      sockets
        .merged()
        .map((socket) => [labelsOf(socket), socket.state === SocketState.bound ? 1 : 0]),
  },
  {
    name: 'sipcast_balancer_worker_turns_total',
    kind: 'counter',
    labels: ['worker'],
    help: 'Turns of the loop of one packet worker: its heartbeat.',
    samples: ({ workers }) =>
      workers.counters.map((one, worker) => [{ worker: String(worker) }, one.turns]),
  },
  {
    name: 'sipcast_balancer_worker_restarts_total',
    kind: 'counter',
    labels: [],
    help: 'Packet workers started again after they crashed or hung.',
    samples: ({ workers }) => [[{}, workers.restarts]],
  },
]

function labelsOf({ role, address, port }: SocketReport): Labels {
  return { role, address, port: String(port) }
}
