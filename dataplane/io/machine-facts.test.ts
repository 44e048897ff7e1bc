import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { expect, it } from 'vitest'
import { parseUdpSockets, readMachine } from './machine-facts.ts'

it('sockets are read from what the kernel lists', () => {
  const text = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
  123: 0100007F:13C4 00000000:0000 07 00000000:00000000 00:00000000 00000000 65532        0 1 2 0 0
    7: B80D0120000000000000000001000000:13CE 00000000000000000000000000000000:0000 07 0:0 00:0 0 0 0 1 2
  garbage
`
  expect(parseUdpSockets(text)).toEqual([
    { address: '127.0.0.1', port: 5060, uid: 65532 },
    { address: '2001:db8::1', port: 5070, uid: 0 },
  ])
})

it('this machine is read', async () => {
  const socket = createSocket('udp4').bind(0, '127.0.0.1')
  await once(socket, 'listening')
  const { port } = socket.address()
  const { settings, addresses, udpSockets, uid } = await readMachine()
  expect(udpSockets).toContainEqual({ address: '127.0.0.1', port, uid })
  expect(addresses).toContainEqual({ interface: 'lo', address: '127.0.0.1' })
  expect(settings.get('net.ipv4.conf.lo.rp_filter')).toMatch(/^[012]$/)
  socket.close()
})
