/**
 * BIRD on a router of the lab: what an operator of routers would set up for sipcast. It takes host routes from its
 * nodes, prefers others to those that ask for it (RFC 8326), hands equal ones to the kernel as one route with several
 * next hops, and passes its best on to the other routers, for which it is a detour. Pure.
 */

export interface RouterPeer {
  readonly name: string
  readonly asn: number
  /** Sessions are made over each of them. */
  readonly addresses: readonly string[]
  readonly password: string | null
}

export interface RouterConfig {
  readonly asn: number
  readonly routerId: string
  readonly nodes: readonly RouterPeer[]
  readonly routers: readonly RouterPeer[]
  readonly bfd: { readonly intervalMs: number; readonly multiplier: number }
}

const NEXT_HOPS_MAX = 16

export function routerConfig({ asn, routerId, nodes, routers, bfd }: RouterConfig): string {
  const kernel = (family: string) => `protocol kernel {
  merge paths on limit ${NEXT_HOPS_MAX};
  ${family} { import none; export where source = RTS_BGP; };
}`
  const channels = (rules: string) => `  ipv4 { ${rules} };\n  ipv6 { ${rules} };`
  const session = ({ name, asn: theirs, addresses, password }: RouterPeer, rules: string) =>
    addresses.map(
      (address, index) => `protocol bgp '${name}.${index}' {
  debug { states };
  local as ${asn};
  neighbor ${address} as ${theirs};
  hold time 9;
  connect delay time 1;
  connect retry time 2;
  error wait time 1, 2;
  bfd { interval ${bfd.intervalMs} ms; multiplier ${bfd.multiplier}; };
${password === null ? '' : `  password "${password}";\n`}${channels(rules)}
}`,
    )
  return `${[
    `log stderr { trace, info, remote, warning, error, auth, fatal, bug };
router id ${routerId};
protocol device { }
protocol bfd {
  debug { events };
}
filter from_node {
  if net.type = NET_IP4 && net.len != 32 then reject;
  if net.type = NET_IP6 && net.len != 128 then reject;
  if (65535, 0) ~ bgp_community then bgp_local_pref = 0;
  accept;
}`,
    kernel('ipv4'),
    kernel('ipv6'),
    ...nodes.flatMap((node) => session(node, 'import filter from_node; export none;')),
    ...routers.flatMap((router) => session(router, 'import all; export where source = RTS_BGP;')),
  ].join('\n\n')}\n`
}
