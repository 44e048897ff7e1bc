/** The options of `npm run lab -- anycast`, and what it needs from the machine. */
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import process from 'node:process'
import { namespacesUnavailable } from '../network/topology.ts'

export const USAGE = `npm run lab -- anycast [--for SECONDS] [--registrar kamailio|reference] [--phones N]
  --for SECONDS   no keyboard: makes one fault after the other, prints a summary and ends;
                  exit code 1 if a call was lost to a fault that was planned
  --registrar     kamailio where it is installed, else the lab's reference registrar
  --phones N      how many phones register and call (12)`

/** Programs, and who has them. */
const PROGRAMS = {
  ip: 'iproute2',
  nft: 'nftables',
  bird: 'bird2',
  setpriv: 'util-linux',
  tcpdump: 'tcpdump',
}

/** Why it cannot run here; null: it can. */
export async function anycastUnavailable(): Promise<string | null> {
  const places = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin']
  const missing = Object.entries(PROGRAMS)
    .filter(([program]) => !places.some((place) => existsSync(join(place, program))))
    .map(([program, packageName]) => `${program} (apt-get install ${packageName})`)
  if (missing.length > 0) return `the anycast lab needs ${missing.join(', ')}`
  const reason = await namespacesUnavailable()
  return reason === null ? null : `the anycast lab needs network namespaces: ${reason}`
}
