/**
 * The router's rules: every datagram to a shared address gets the mark of a balancer drawn at random, and
 * goes where that mark leads. Invariant: the fragments of one datagram get the same mark (from its
 * identification), as design section 5.7 demands of routers.
 */
export function spreadRules(marks: readonly number[], ipv4: string, ipv6: string): string {
  const choice = `mod ${marks.length} map { ${marks.map((mark, index) => `${index} : ${mark}`).join(', ')} }`
  const rules = [
    `ip daddr ${ipv4} ip frag-off & 0x3fff != 0 meta mark set jhash ip saddr . ip id ${choice} return`,
    `ip daddr ${ipv4} meta mark set numgen random ${choice} return`,
    `ip6 daddr ${ipv6} exthdr frag exists meta mark set jhash ip6 saddr . frag id ${choice} return`,
    `ip6 daddr ${ipv6} meta mark set numgen random ${choice} return`,
  ]
  return `
table inet spread
flush table inet spread
table inet spread {
  chain prerouting {
    type filter hook prerouting priority mangle
    ${marks.length === 0 ? '' : rules.join('\n    ')}
  }
}
`
}
