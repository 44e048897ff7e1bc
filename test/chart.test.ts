/**
 * What the chart says, as far as its files say it: the resources it brings along, its version, what its image
 * is made of. Not here: what Helm makes of it (test/cluster/chart.test.ts), its queries (chart-queries.test.ts).
 */
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { paths, read } from './repository.ts'

// That they are those of crds/ is held by the generator's test.
test('the chart brings all resources along, and no others', () => {
  const names = (folder: string) =>
    paths
      .filter((path) => path.startsWith(folder) && path.endsWith('.yaml'))
      .map((path) => path.slice(folder.length))
      .filter((path) => !path.includes('/'))
  expect(names('charts/sipcast/files/crds/')).toEqual(names('crds/'))
})

test('the chart has the version of the programs', () => {
  const { version } = JSON.parse(read('package.json').text) as { version: string }
  const chart = parse(read('charts/sipcast/Chart.yaml').text) as Record<string, unknown>
  expect({ version: chart['version'], appVersion: chart['appVersion'] }).toEqual({
    version,
    appVersion: version,
  })
})
