/**
 * What every skin of the operator's Cluster port keeps to, run over all of them: memory, a directory, and Kubernetes on
 * an API server in memory.
 * Not here: what only one skin has (operator/io), pods (operator/io/kubernetes/pod-index.test.ts).
 */
import { afterEach, beforeEach, describe } from 'vitest'
import { directorySkin, kubernetesSkin, memorySkin } from './cluster-port/skins.ts'
import { sightings } from './cluster-port/sightings.ts'
import { keys, reports, statuses } from './cluster-port/status-and-keys.ts'
import { tables } from './cluster-port/tables.ts'
import { Trial } from './cluster-port/trial.ts'

const skins = { memory: memorySkin, directory: directorySkin, Kubernetes: kubernetesSkin }
const suites = { sightings, tables, statuses, keys, reports }

for (const [name, makeSkin] of Object.entries(skins)) {
  describe(name, () => {
    const trial = new Trial(makeSkin)
    beforeEach(() => trial.begin())
    afterEach(() => trial.end())
    for (const [title, suite] of Object.entries(suites)) describe(title, () => suite(trial))
  })
}
