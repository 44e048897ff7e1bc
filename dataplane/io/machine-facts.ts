/**
 * What preflight wants to know of this machine, read from /proc and the interfaces. Not here: what it means.
 * Invariant: nothing is bound, sent or changed.
 */

import { readFile } from 'node:fs/promises'
import { networkInterfaces } from 'node:os'
import process from 'node:process'
import { canonicalAddress } from '../address-text.ts'
import type { MachineFacts, UdpSocketFact } from '../preflight.ts'
import { errnoOf } from './store-error.ts'

export async function readMachine(): Promise<MachineFacts> {
  const addresses = Object.entries(networkInterfaces()).flatMap(([label, all]) =>
    // An IPv4 address with a label of its own is listed under it: `lo:sipcast`.
    (all ?? []).map(({ address }) => ({
      interface: label.split(':')[0]!,
      address: canonicalAddress(address) ?? address,
    })),
  )
  const interfaces = new Set(addresses.map((one) => one.interface))
  return {
    settings: await readSettings(['all', ...interfaces]),
    addresses,
    udpSockets: [
      ...parseUdpSockets(await readText('/proc/net/udp')),
      ...parseUdpSockets(await readText('/proc/net/udp6')),
    ],
    uid: process.getuid?.() ?? 0,
  }
}

async function readSettings(places: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const names = [
    'net.core.rmem_max',
    'net.ipv4.ip_forward',
    'net.netfilter.nf_conntrack_max',
    'net.netfilter.nf_conntrack_count',
    ...places.flatMap((place) => [
      `net.ipv4.conf.${place}.rp_filter`,
      `net.ipv4.conf.${place}.accept_local`,
      `net.ipv4.conf.${place}.accept_redirects`,
      `net.ipv6.conf.${place}.accept_redirects`,
      `net.ipv6.conf.${place}.forwarding`,
    ]),
  ]
  const texts = await Promise.all(
    names.map(async (name) => [name, await readText(pathOf(name, places))] as const),
  )
  return new Map(texts.filter(([, text]) => text !== '').map(([name, text]) => [name, text.trim()]))
}

/** An interface's name may have dots itself. */
function pathOf(name: string, places: readonly string[]): string {
  const place = places.find((one) => name.includes(`.conf.${one}.`))
  if (place === undefined) return `/proc/sys/${name.replaceAll('.', '/')}`
  const [before = '', after = ''] = name.split(`.${place}.`)
  return `/proc/sys/${before.replaceAll('.', '/')}/${place}/${after}`
}

/** Lines of /proc/net/udp or udp6: addresses are hexadecimal words in the byte order of the machine, little-endian. */
export function parseUdpSockets(text: string): readonly UdpSocketFact[] {
  return text
    .split('\n')
    .slice(1)
    .flatMap((line) => {
      const words = line.trim().split(/\s+/)
      const [hexAddress = '', hexPort = ''] = (words[1] ?? '').split(':')
      const address = addressOfHex(hexAddress)
      if (address === null) return []
      return [{ address, port: Number.parseInt(hexPort, 16), uid: Number(words[7]) }]
    })
}

function addressOfHex(hex: string): string | null {
  if (!/^([0-9A-F]{8}|[0-9A-F]{32})$/i.test(hex)) return null
  const bytes = Uint8Array.fromHex(hex)
  for (let word = 0; word < bytes.length; word += 4) bytes.subarray(word, word + 4).reverse()
  if (bytes.length === 4) return bytes.join('.')
  const groups = Array.from({ length: 8 }, (_, group) =>
    ((bytes[2 * group]! << 8) | bytes[2 * group + 1]!).toString(16),
  )
  return canonicalAddress(groups.join(':'))
}

/** Empty where there is no such file. */
async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (['ENOENT', 'EACCES', 'ENOTDIR'].includes(errnoOf(error))) return ''
    throw error
  }
}
