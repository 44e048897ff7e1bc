/** The shared addresses that a node holds, as its kernel says. Not here: who holds them. */
import { runProgram } from '@sipcast/lab'

/** Of the loopback interface, but its own. */
export async function heldOn(node: string): Promise<readonly string[]> {
  const printed = await runProgram('docker', ['exec', node, 'ip', '-j', 'address', 'show', 'lo'])
  const [lo] = JSON.parse(printed) as [{ addr_info: { local: string }[] }]
  return lo.addr_info.map(({ local }) => local).filter((one) => !['127.0.0.1', '::1'].includes(one))
}
