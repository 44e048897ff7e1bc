import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BgpPeer, parseBgpPeer } from '@sipcast/crds'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { requires } from '../../../test/requires.ts'
import { PeerRefusal } from './peers.ts'
import { type BirdQuestion, renderBird } from './render.ts'
import { routerIdOf } from './router-id.ts'

const GOLDEN = join(import.meta.dirname, 'golden')
const PASSWORD_SECRET = { name: 'bgp' }

const FAR = { peerASN: 64_600, localASN: 64_512, multihop: 4 }

const NODE = {
  nodeName: 'node-a.example',
  nodeLabels: { 'kubernetes.io/hostname': 'node-a', rack: '1' },
  passwords: new Map<string, string>(),
  nodeAddresses: ['192.0.2.10', '2001:db8:b::10'],
  routerId: '192.0.2.10',
  pools: ['203.0.113.0/24', '2001:db8:53::/64'],
  isShuttingDown: false,
}

const dualStack = question(
  peer('router-4', {
    peerAddress: '192.0.2.1',
    peerASN: 64_600,
    localASN: 64_512,
    communities: ['64600:100', '64600:1:4294967295'],
  }),
  peer('router-6', { peerAddress: '2001:db8:b::1', peerASN: 64_600, localASN: 64_512 }),
)

/** One configuration for each thing that may be set; the file in `golden/` has its name. */
const cases: Readonly<Record<string, BirdQuestion>> = {
  'dual-stack': dualStack,
  'shutting-down': {
    ...question(
      ...dualStack.peers,
      peer('internal', { peerAddress: '192.0.2.2', peerASN: 64_512, localASN: 64_512 }),
    ),
    isShuttingDown: true,
  },
  'everything-set': {
    ...question(
      peer('far-away', {
        peerAddress: '198.51.100.7',
        peerASN: 4_200_000_000,
        localASN: 4_200_000_001,
        port: 1790,
        holdTime: '30s',
        bfd: { interval: '300ms', multiplier: 5 },
        nodeSelector: { rack: '1' },
        passwordSecretRef: PASSWORD_SECRET,
        sourceAddress: '192.0.2.10',
        multihop: 4,
      }),
    ),
    passwords: new Map([['far-away', "spaces, {braces}; # and 'apostrophes'"]]),
    listenPort: 1179,
  },
  'several-hops': question(
    peer('far-4', { ...FAR, peerAddress: '198.51.100.7' }),
    peer('far-6', { ...FAR, peerAddress: '2001:db8:99::7' }),
    peer('far-and-slow', { ...FAR, peerAddress: '198.51.100.8', bfd: { enabled: false } }),
  ),
  'without-bfd': question(
    peer('plain', {
      peerAddress: '192.0.2.1',
      peerASN: 64_600,
      localASN: 64_512,
      bfd: { enabled: false },
    }),
  ),
  'no-peers': question(),
  'no-pools': { ...dualStack, pools: [] },
  'all-addresses': { ...dualStack, pools: null },
  // Names that are words of BIRD's language, or as long as they may be.
  'difficult-names': question(
    ...['all', 'static', '1', 'a.b-c', 'x'.repeat(63)].map((name, index) =>
      peer(name, { peerAddress: `192.0.2.${1 + index}`, peerASN: 1, localASN: 2 }),
    ),
  ),
}

const anyAsn = fc.integer({ min: 1, max: 4_294_967_294 })
const anyAddress = fc.oneof(fc.ipV4(), fc.ipV6(), fc.constantFrom('fe80::1', '127.0.0.1', '::1'))
/** What somebody may write, as far as the schema lets him. */
const specs = fc
  .record(
    {
      peerAddress: anyAddress,
      peerASN: anyAsn,
      localASN: anyAsn,
      port: fc.integer({ min: 1, max: 65_535 }),
      holdTime: fc.integer({ min: 3, max: 65_535 }).map((seconds) => `${seconds}s`),
      bfd: fc.record({
        enabled: fc.boolean(),
        interval: fc.integer({ min: 10, max: 60_000 }).map((ms) => `${ms}ms`),
        multiplier: fc.integer({ min: 1, max: 255 }),
      }),
      sourceAddress: anyAddress,
      multihop: fc.integer({ min: 1, max: 255 }),
      communities: fc.array(fc.constantFrom('0:0', '65535:65535', '1:2:3', '4294967295:0:0')),
    },
    { requiredKeys: ['peerAddress', 'peerASN', 'localASN'] },
  )
  .filter((spec) => parsedPeer('any', spec).ok)

test.each(Object.entries(cases))('%s is as it was', async (name, asked) => {
  await expect(renderBird(asked).text).toMatchFileSnapshot(join(GOLDEN, `${name}.conf`))
})

test('every golden file has its case', () => {
  expect(readdirSync(GOLDEN).toSorted()).toEqual(
    Object.keys(cases)
      .map((name) => `${name}.conf`)
      .toSorted(),
  )
})

describe.runIf(requires('bird'))('BIRD itself', () => {
  const directory = mkdtempSync(join(tmpdir(), 'sipcast-bird-'))
  afterAll(() => rmSync(directory, { recursive: true }))

  function complaint(text: string): string {
    const path = join(directory, 'bird.conf')
    writeFileSync(path, text)
    const { status, stderr } = spawnSync('bird', ['-p', '-c', path], { encoding: 'utf8' })
    return status === 0 ? '' : `${status}: ${stderr}`
  }

  test.each(readdirSync(GOLDEN))('accepts %s', (file) => {
    expect(complaint(readFileSync(join(GOLDEN, file), 'utf8'))).toBe('')
  })

  test('refuses what is no configuration, so that its consent says something', () => {
    expect(complaint(renderBird(dualStack).text.replace('graceful', 'graceless'))).toMatch(/^1: /)
  })

  test('accepts every BgpPeer that the schema allows', () => {
    fc.assert(
      fc.property(
        fc.array(specs, { minLength: 40, maxLength: 40 }),
        fc.boolean(),
        (drawn, isBare) => {
          const asked = question(...drawn.map((spec, index) => peer(`p${index}`, spec)))
          const { text } = renderBird({ ...asked, ...(isBare ? { nodeAddresses: [] } : {}) })
          expect(complaint(text)).toBe('')
        },
      ),
      { numRuns: 25 },
    )
  })

  test('accepts every password that is not refused', () => {
    const passwords = fc.string({ unit: 'binary-ascii', maxLength: 90 })
    fc.assert(
      fc.property(fc.array(passwords, { minLength: 50, maxLength: 50 }), (drawn) => {
        const peers = drawn.map((_, index) =>
          peer(`p${index}`, {
            peerAddress: `192.0.2.${1 + index}`,
            peerASN: 1,
            localASN: 2,
            passwordSecretRef: PASSWORD_SECRET,
          }),
        )
        const asked = { ...question(...peers), passwords: new Map(drawn.entries().map(byPeer)) }
        const { text, peers: used, refused } = renderBird(asked)
        expect(complaint(text)).toBe('')
        expect(used.length + refused.length).toBe(drawn.length)
        expect(text.match(/^protocol bgp /gm) ?? []).toHaveLength(used.length)
      }),
      { numRuns: 20 },
    )
  })
})

function byPeer([index, password]: [number, string]): [string, string] {
  return [`p${index}`, password]
}

test('the order in which objects arrive changes nothing', () => {
  const turned = { ...dualStack, peers: dualStack.peers.toReversed() }
  expect(renderBird(turned)).toEqual(renderBird(dualStack))
})

test('one more router changes no line of the others', () => {
  const more = peer('another', { peerAddress: '192.0.2.9', peerASN: 64_600, localASN: 64_512 })
  const sections = (text: string) => text.trimEnd().split('\n\n')
  const after = sections(renderBird({ ...dualStack, peers: [more, ...dualStack.peers] }).text)
  expect(after).toEqual(expect.arrayContaining(sections(renderBird(dualStack).text)))
})

test.each([
  ['no selector', {}, true],
  ['a label the node has', { rack: '1' }, true],
  ['another value', { rack: '2' }, false],
  ['a label that it lacks', { rack: '1', edge: '' }, false],
  ['a word of every object', { constructor: '' }, false],
])('%s', (_, nodeSelector, isUsed) => {
  const one = peer('r', { peerAddress: '192.0.2.1', peerASN: 1, localASN: 2, nodeSelector })
  expect(renderBird(question(one)).peers).toEqual(isUsed ? ['r'] : [])
})

test.each([
  ['no password', undefined, PeerRefusal.passwordMissing],
  ['an empty one', '', PeerRefusal.passwordMissing],
  ['one that ends its string', 'a"; import all; #', PeerRefusal.passwordUnusable],
  ['one that ends its line', 'a\nb', PeerRefusal.passwordUnusable],
  ['one beyond ASCII', 'ä', PeerRefusal.passwordUnusable],
  ['one that is too long for the kernel', 'a'.repeat(81), PeerRefusal.passwordUnusable],
])(
  '%s: that router is left out, the others are not, and no word of it is told',
  (_, secret, why) => {
    const spec = { peerASN: 1, localASN: 2 }
    const closed = { ...spec, peerAddress: '192.0.2.1', passwordSecretRef: PASSWORD_SECRET }
    const asked = question(
      peer('closed', closed),
      peer('open', { ...spec, peerAddress: '192.0.2.2' }),
    )
    const passwords = new Map(secret === undefined ? [] : [['closed', secret]])
    const { text, peers, refused } = renderBird({ ...asked, passwords })
    expect(peers).toEqual(['open'])
    expect(text).not.toContain('192.0.2.1 ')
    expect(refused).toMatchObject([{ peer: 'closed', reason: why }])
    expect(refused[0]?.message).toMatch(/password in key password of Secret bgp/)
  },
)

test('over several hops BFD needs an address: without one, that router is left out', () => {
  const asked = question(
    peer('far', { ...FAR, peerAddress: '2001:db8:99::7' }),
    peer('near', { peerAddress: '192.0.2.1', peerASN: 1, localASN: 2 }),
  )
  const { peers, refused } = renderBird({ ...asked, nodeAddresses: ['192.0.2.10'] })
  expect(peers).toEqual(['near'])
  expect(refused).toMatchObject([{ peer: 'far', reason: PeerRefusal.sourceMissing }])
  expect(refused[0]?.message).toMatch(/an IPv6 address of this node/)
})

test('two objects for one router: the first by name counts', () => {
  const spec = { peerAddress: '192.0.2.1', peerASN: 1, localASN: 2 }
  const { peers, refused } = renderBird(question(peer('b', spec), peer('a', spec)))
  expect(peers).toEqual(['a'])
  expect(refused).toMatchObject([{ peer: 'b', reason: PeerRefusal.duplicate }])
})

test.each([
  ['a name', { nodeName: 'a"; router id 1.2.3.4; #' }],
  ['a router id', { routerId: '1.2.3.4; include "/etc/shadow"' }],
  ['an IPv6 router id', { routerId: '2001:db8::1' }],
  ['a pool', { pools: ['203.0.113.0/24, 0.0.0.0/0'] }],
  ['the length of a pool', { pools: ['203.0.113.0/33'] }],
  ['the name of a peer', { peers: [{ ...dualStack.peers[0], name: "a' {}" } as BgpPeer] }],
])('%s that would be more than that is not written', (_, wrong) => {
  expect(() => renderBird({ ...dualStack, ...wrong })).toThrow()
})

test('pools are networks, whatever bits stand behind their length', () => {
  const pools = ['203.0.113.77/24', '2001:db8:53::7:1/64', '198.51.100.7', '203.0.113.0/24']
  expect(renderBird({ ...dualStack, pools }).text.match(/net ~ .*/g)).toEqual([
    'net ~ [ 203.0.113.0/24{32,32}, 198.51.100.7/32{32,32} ];',
    'net ~ [ 2001:db8:53::/64{128,128} ];',
  ])
})

test('the router id is an address of the node, or made of its name', () => {
  expect(routerIdOf('a', ['2001:db8::1', '192.0.2.1', '192.0.2.2'])).toBe('192.0.2.1')
  expect(routerIdOf('a', [])).toMatch(/^2[45]\d(\.\d+){3}$/)
  expect(routerIdOf('a', [])).toBe(routerIdOf('a', ['2001:db8::1']))
  expect(routerIdOf('a', [])).not.toBe(routerIdOf('b', []))
})

function question(...peers: readonly BgpPeer[]): BirdQuestion {
  return { ...NODE, peers }
}

function parsedPeer(name: string, spec: Readonly<Record<string, unknown>>) {
  const manifest = { apiVersion: 'sipcast.io/v1alpha1', kind: 'BgpPeer', metadata: { name }, spec }
  return parseBgpPeer(manifest)
}

function peer(name: string, spec: Readonly<Record<string, unknown>>): BgpPeer {
  const parsed = parsedPeer(name, spec)
  if (!parsed.ok) throw new Error(JSON.stringify(parsed))
  return parsed.bgpPeer
}
