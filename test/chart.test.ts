/**
 * The chart and the examples, as far as their files say it. Not here: what Helm and an API server make of them
 * (test/cluster/chart.test.ts), the chart's queries (chart-queries.test.ts).
 */
import { parseSipProxy } from '@sipcast/crds'
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

// The one of dual-stack is a patch of the one of kamailio.
test.each(['kamailio', 'static'])('the SipProxy of example %s is valid', (name) => {
  const text = read(`examples/${name}/sip-proxy.yaml`).text
  expect(parseSipProxy(parse(text))).toMatchObject({ ok: true })
})

test('all examples are in the table of examples', () => {
  const folders = new Set(
    paths.filter((path) => /^examples\/.+\//.test(path)).map((path) => path.split('/')[1]),
  )
  const rows = [...read('examples/README.md').text.matchAll(/^\| `([\w-]+)` \|/gm)]
  expect(new Set(rows.map(([, name]) => name))).toEqual(folders)
})

test('the build of the image knows every workspace', () => {
  const { workspaces } = JSON.parse(read('package.json').text) as { workspaces: readonly string[] }
  const copies = [
    ...read('images/sipcast/Dockerfile').text.matchAll(/^COPY (\S+)\/package\.json \1\/$/gm),
  ]
  expect(copies.map(([, folder]) => folder)).toEqual(workspaces)
})

test('by values, a router is told all that a BgpPeer is told, within the same bounds', () => {
  const schema = JSON.parse(read('charts/sipcast/values.schema.json').text) as {
    properties: { bgp: { properties: { peers: { items: Fields } } } }
  }
  const { properties, required } = schema.properties.bgp.properties.peers.items
  const crd = parse(read('crds/bgppeers.yaml').text) as {
    spec: { versions: [{ schema: { openAPIV3Schema: { properties: { spec: Fields } } } }] }
  }
  const { spec } = crd.spec.versions[0].schema.openAPIV3Schema.properties
  expect(Object.keys(properties)).toEqual(['name', ...Object.keys(spec.properties)])
  expect(required).toEqual(['name', ...spec.required])
  for (const field of ['port', 'multihop', 'holdTime']) {
    const { minimum, maximum, pattern } = spec.properties[field]!
    expect(properties[field]).toMatchObject(
      pattern === undefined ? { minimum, maximum } : { pattern },
    )
  }
})

interface Fields {
  readonly properties: Readonly<Record<string, Field>>
  readonly required: readonly string[]
}

interface Field {
  readonly minimum?: number
  readonly maximum?: number
  readonly pattern?: string
}
