/** What the kernel of a namespace knows of the way to an address. Needs root, but for reading what `ip` printed. */
import { ip } from './shell.ts'

interface KernelRoute {
  readonly gateway?: string
  readonly nexthops?: readonly { readonly gateway?: string }[]
}

/** Where it sends what goes to just this address: next hops in order; none: it has no route of that address's own. */
export async function nextHops(namespace: string, address: string): Promise<readonly string[]> {
  const family = address.includes(':') ? '-6' : '-4'
  return nextHopsIn(await ip(`-n ${namespace} -json ${family} route show ${address}`))
}

/** In what `ip -json route show` printed. */
export function nextHopsIn(output: string): readonly string[] {
  const routes = JSON.parse(output || '[]') as readonly KernelRoute[]
  return routes
    .flatMap(({ gateway, nexthops = [] }) => [gateway, ...nexthops.map((hop) => hop.gateway)])
    .filter((gateway) => gateway !== undefined)
    .toSorted()
}
