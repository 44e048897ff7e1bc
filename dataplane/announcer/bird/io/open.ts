/**
 * The half that deals with BIRD over the real things. Not here: what it does (`keeper.ts`). What reads BgpPeers and
 * manifests takes as long to load as all the rest together, and an announcer that follows another one has little time
 * (design section 5.7): it is loaded when it is needed, while addresses are looked after.
 */

import { watchFolders } from '../../../io/directory-watch.ts'
import { systemClock } from '../../../io/system-clock.ts'
import type { Tell } from '../../../ports.ts'
import type { BirdConfig } from '../../config.ts'
import type { ManifestSource } from '../inputs.ts'
import { BirdKeeper } from '../keeper.ts'
import { ConfigurationFile } from './configuration-file.ts'
import { BirdControl } from './control.ts'
import { isManifestName, LABELS_FILE } from './manifest-names.ts'
import { NoPasswords, PasswordFiles } from './passwords.ts'

export function openBirdKeeper(
  { file, socket, passwords, manifests }: BirdConfig,
  pools: readonly string[] | null,
  tell: Tell,
): BirdKeeper {
  const bird = new BirdControl(socket)
  // In a cluster, it is the chart that mounts Secrets.
  const mount = manifests === null ? '; the chart mounts Secrets named in bgp.passwordSecrets' : ''
  const remedy = `it is looked for in ${passwords}/SECRET/KEY${mount}`
  return new BirdKeeper({
    clock: systemClock,
    bird,
    file: new ConfigurationFile(file, bird),
    readPeers: async (objects, before) => (await import('../orders.ts')).readPeers(objects, before),
    passwords: passwords === null ? new NoPasswords() : new PasswordFiles(passwords, remedy),
    manifests: manifests === null ? null : openManifests(manifests),
    pools,
    tell,
  })
}

function openManifests({ directory, name }: NonNullable<BirdConfig['manifests']>): ManifestSource {
  const nowMs = () => systemClock.monotonicMs()
  let opened: Pick<ManifestSource, 'read'> | null = null
  return {
    async read() {
      if (opened === null) {
        const { ManifestDirectory } = await import('./manifest-directory.ts')
        opened = new ManifestDirectory(directory, name, nowMs)
      }
      return await opened.read()
    },
    watch: (changed) =>
      watchFolders([directory], (file) => {
        // Much else is written there, each step of it an event.
        const isOurs = file === null || file === LABELS_FILE || isManifestName(file)
        if (isOurs) changed()
      }),
  }
}
