import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { MISSING_MS } from '../limits.ts'
import { ManifestDirectory } from './manifest-directory.ts'

let path: string
let directory: ManifestDirectory
let nowMs = 0

beforeEach(() => {
  path = mkdtempSync(join(tmpdir(), 'sipcast-manifests-'))
  directory = new ManifestDirectory(path, 'node-a', () => nowMs)
})
afterEach(() => rmSync(path, { recursive: true, force: true }))

function put(name: string, text: string): void {
  writeFileSync(join(path, name), text)
}

function manifest(kind: string, name: string, spec: string): string {
  return `apiVersion: sipcast.io/v1alpha1\nkind: ${kind}\nmetadata: { name: ${name} }\nspec: ${spec}\n`
}

const peer = (name: string, asn = 64_600) =>
  manifest('BgpPeer', name, `{ peerAddress: 192.0.2.1, peerASN: ${asn}, localASN: 64512 }`)
const maintenance = (name: string, wanted: string) =>
  manifest('SipBalancer', name, `{ maintenance: ${wanted} }`)

async function read() {
  const { manifests, problems } = await directory.read()
  return {
    ...manifests,
    peers: manifests?.peers.map((object) => {
      const { metadata, spec } = object as { metadata: { name: string }; spec: { peerASN: number } }
      return `${metadata.name} ${spec.peerASN}`
    }),
    problems: problems.map(({ reason, message }) => `${reason}: ${message}`),
  }
}

it('has the peers of all files, and of all documents of a file; other kinds are not ours', async () => {
  put('a.yaml', `${peer('one')}---\n${manifest('SipProxy', 'registrars', '{}')}---\n${peer('two')}`)
  put('b.yml', peer('three'))
  put('.c.yaml', peer('hidden'))
  put('notes.txt', 'no: manifest')
  expect(await read()).toEqual({
    peers: ['one 64600', 'two 64600', 'three 64600'],
    nodeLabels: {},
    isInMaintenance: false,
    problems: [],
  })
})

it('follows changes at once, and believes in what stays missing', async () => {
  put('a.yaml', peer('one'))
  put('b.yaml', peer('two'))
  await read()
  put('a.yaml', peer('one', 1))
  rmSync(join(path, 'b.yaml'))
  for (let look = 0; look < 3; look++) {
    expect((await read()).peers).toEqual(['one 1', 'two 64600'])
  }
  nowMs += MISSING_MS
  expect((await read()).peers).toEqual(['one 1'])
  // Written in two steps, and again.
  put('a.yaml', '')
  expect((await read()).peers).toEqual(['one 1'])
  put('a.yaml', peer('one', 1))
  await read()
  nowMs += MISSING_MS
  put('a.yaml', '')
  expect((await read()).peers).toEqual(['one 1'])
  put('a.yaml', peer('one', 2))
  expect((await read()).peers).toEqual(['one 2'])
})

it('keeps what a file said last while it cannot be read', async () => {
  put('a.yaml', `${peer('one')}---\n${peer('two')}`)
  await read()
  put('a.yaml', `${peer('one', 1)}---\nkind: [`)
  for (let look = 0; look < 3; look++) {
    const { peers, problems } = await read()
    expect(peers).toEqual(['one 1', 'two 64600'])
    expect(problems).toEqual([expect.stringMatching(/^ManifestUnreadable: a\.yaml: document 2: /)])
  }
})

it('without the directory is as it was; where it was never there, nothing is known', async () => {
  put('a.yaml', peer('one'))
  await read()
  rmSync(path, { recursive: true })
  for (let look = 0; look < 3; look++) {
    const { peers, problems } = await read()
    expect(peers).toEqual(['one 64600'])
    expect(problems).toContainEqual(expect.stringMatching(/^DirectoryUnreadable: .*ENOENT/))
  }
  expect(await new ManifestDirectory(path, 'node-a', () => nowMs).read()).toEqual({
    manifests: null,
    problems: [expect.objectContaining({ reason: 'DirectoryUnreadable' })],
  })
})

it('of two peers of one name the first counts, and the other is told of', async () => {
  put('b.yaml', peer('one', 2))
  put('a.yaml', peer('one', 1))
  const { peers, problems } = await read()
  expect(peers).toEqual(['one 1'])
  expect(problems).toEqual([expect.stringMatching(/^ManifestDuplicate: BgpPeer\/one .* b\.yaml/)])
})

it('takes this node out of service, and back', async () => {
  put('a.yaml', maintenance('node-b', 'true'))
  expect((await read()).isInMaintenance).toBe(false)
  put('b.yaml', maintenance('node-a', 'true'))
  expect((await read()).isInMaintenance).toBe(true)
  put('b.yaml', maintenance('node-a', 'perhaps'))
  const broken = await read()
  expect(broken.isInMaintenance).toBe(true)
  expect(broken.problems).toEqual([expect.stringMatching(/^SipBalancerInvalid: .*maintenance/)])
  rmSync(join(path, 'b.yaml'))
  expect((await read()).isInMaintenance).toBe(true)
  nowMs += MISSING_MS
  expect((await read()).isInMaintenance).toBe(false)
})

it('knows the labels of its node', async () => {
  put('node-labels.json', '{"node-a": {"rack": "1"}, "node-b": {"rack": "2"}}')
  expect((await read()).nodeLabels).toEqual({ rack: '1' })
  for (const broken of ['{"node-a": {"rack":', '[]', '{"node-a": {"rack": 1}}']) {
    put('node-labels.json', broken)
    const { nodeLabels, problems } = await read()
    expect(nodeLabels).toEqual({ rack: '1' })
    expect(problems).toEqual([expect.stringMatching(/^NodeLabelsUnreadable/)])
  }
  rmSync(join(path, 'node-labels.json'))
  expect((await read()).nodeLabels).toEqual({ rack: '1' })
  nowMs += MISSING_MS
  expect((await read()).nodeLabels).toEqual({})
})
