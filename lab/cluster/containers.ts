/** Docker's containers on kind's network, as Docker describes them. Not here: making any. */
import { NETWORK } from './bridge.ts'
import { run } from './program.ts'

export interface Container {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  /** On kind's network; empty while it does not run, or where the network has no such version. */
  readonly ipv4: string
  readonly ipv6: string
}

/** @throws ProgramError where one of them is not there */
export async function inspect(names: readonly string[]): Promise<readonly Container[]> {
  const found = JSON.parse(await run('docker', ['inspect', ...names])) as readonly Inspected[]
  return found.map(({ Name, Config, NetworkSettings }) => {
    const network = NetworkSettings.Networks[NETWORK]
    return {
      name: Name.replace('/', ''),
      labels: Config.Labels,
      ipv4: network?.IPAddress ?? '',
      ipv6: network?.GlobalIPv6Address ?? '',
    }
  })
}

interface Inspected {
  readonly Name: string
  readonly Config: { readonly Labels: Readonly<Record<string, string>> }
  readonly NetworkSettings: {
    readonly Networks: Readonly<Record<string, { IPAddress: string; GlobalIPv6Address: string }>>
  }
}
