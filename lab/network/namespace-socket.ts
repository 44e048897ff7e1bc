/**
 * UDP sockets, also inside another network namespace: the thread changes its namespace, makes and binds the
 * socket there, and comes back. A socket stays for life in the namespace it was made in (setns(2)), so one
 * process can hold phones behind several NATs. Needs root for namespaces. Invariant: nothing runs on this
 * thread while it is abroad; so the bind must be synchronous, which node:dgram's is if its
 * `lookup` answers at once.
 */
import { type Socket, createSocket } from 'node:dgram'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { isIPv6 } from 'node:net'
import koffi from 'koffi'

const CLONE_NEWNET = 0x4000_0000

/** The socket is bound when this returns. Its errors after that are the caller's. */
export async function openSocket(
  address: string,
  port: number,
  namespace?: string,
): Promise<Socket> {
  const family = isIPv6(address) ? 6 : 4
  const socket = createSocket({
    type: family === 6 ? 'udp6' : 'udp4',
    ipv6Only: family === 6,
    lookup: (host, _options, callback) => callback(null, host, family),
  })
  const bound = once(socket, 'listening')
  const bind = () => socket.bind({ address, port })
  if (namespace === undefined) bind()
  else within(namespace, bind)
  await bound
  return socket
}

let setns: ((fd: number, kind: number) => number) | null = null

function within(namespace: string, action: () => void): void {
  setns ??= koffi.load(null).func('int setns(int fd, int kind)') as NonNullable<typeof setns>
  const home = openSync('/proc/thread-self/ns/net', 'r')
  const abroad = openSync(`/run/netns/${namespace}`, 'r')
  try {
    if (setns(abroad, CLONE_NEWNET) !== 0) throw new Error(`cannot enter namespace ${namespace}`)
    try {
      action()
    } finally {
      if (setns(home, CLONE_NEWNET) !== 0) process.abort()
    }
  } finally {
    closeSync(home)
    closeSync(abroad)
  }
}
