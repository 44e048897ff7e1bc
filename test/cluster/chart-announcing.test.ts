/**
 * What `announcer.announce: bgp` makes of the chart: BIRD and its rights, passwords, routers by values. It needs
 * neither nodes nor an API server. Not here: values refused, and everything else (chart.test.ts).
 */
import { parseBgpPeer } from '@sipcast/crds'
import { describe, expect, test } from 'vitest'
import { requires } from '../requires.ts'
import { PEER } from './chart-values.ts'
import { addedIn, mounting, NAMESPACE, podOf, render } from './chart-world.ts'

describe.runIf(requires('helm'))('the chart that announces', () => {
  test('BIRD is there where it is to announce, as somebody else, and sees what it needs', async () => {
    const pod = podOf(await render({ 'announcer.announce': 'bgp', 'bgp.peers': [PEER] }))
    expect(addedIn(pod)).toContainEqual(['bird', ['NET_BIND_SERVICE', 'NET_RAW'], true])
    const [balancer, announcer, bird] = pod.containers
    expect(bird!.securityContext.runAsUser).toBe(65_533)
    for (const other of [balancer!, announcer!]) {
      expect(other.securityContext.runAsUser).toBeUndefined()
    }
    expect(mounting(pod, /^token$/)).toEqual(['balancer'])
    expect(mounting(pod, /^keys$/)).toEqual(['balancer'])
    expect(mounting(pod, /^bgp-password-/)).toEqual(['announcer'])
    expect(mounting(pod, /^socket$/)).toEqual(['balancer', 'announcer'])
    const control = { name: 'bird-control', mountPath: '/run/bird/control' }
    expect(bird!.volumeMounts).toEqual([
      { name: 'bird-config', mountPath: '/run/bird/config', readOnly: true },
      control,
    ])
    expect(announcer!.volumeMounts).toContainEqual({ ...control, readOnly: true })
  })

  test('BIRD waits for its last word as long as its pod does', async () => {
    const values = { 'announcer.announce': 'bgp', 'balancer.terminationGracePeriodSeconds': 60 }
    const bird = podOf(await render(values)).containers.at(-1)
    expect(bird!.args.at(-1)).toBe('58')
  })

  test('the images are of one build, unless told otherwise', async () => {
    const imagesOf = async (values: object) =>
      podOf(await render({ 'announcer.announce': 'bgp', ...values })).containers.map(
        ({ image }) => image,
      )
    const [balancer, announcer, bird] = await imagesOf({ 'image.tag': '1.2.3' })
    expect([balancer, announcer, bird]).toEqual([
      'sipcast:1.2.3',
      'sipcast:1.2.3',
      'sipcast-bird:1.2.3',
    ])
    const own = { repository: 'registry.example.com/bird', tag: '2' }
    const others = await imagesOf({ 'image.tag': '1', 'bird.image': own })
    expect(others.at(-1)).toBe('registry.example.com/bird:2')
  })

  test('passwords that peers name are mounted without being named twice', async () => {
    const pod = podOf(
      await render({
        'announcer.announce': 'bgp',
        'bgp.peers': [PEER, { ...PEER, name: 'router-b', passwordSecretRef: { name: '10' } }],
        'bgp.passwordSecrets': ['other', 'router-a'],
      }),
    )
    const secrets = pod.volumes.flatMap(({ secret }) => (secret?.optional ? [secret] : []))
    expect(secrets.map(({ secretName }) => secretName)).toEqual(['other', 'router-a', '10'])
    const announcer = pod.containers.find(({ name }) => name === 'announcer')
    const paths = announcer!.volumeMounts.map(({ mountPath }) => mountPath)
    for (const name of ['other', 'router-a', '10']) {
      expect(paths).toContain(`/etc/sipcast/passwords/${name}`)
    }
  })

  test('peers are BgpPeers, with every word of theirs', async () => {
    const objects = await render({ 'announcer.announce': 'bgp', 'bgp.peers': [PEER] })
    const [peer] = objects.filter(({ kind }) => kind === 'BgpPeer')
    const { name, ...spec } = PEER
    expect(peer!.metadata.name).toBe(name)
    expect(peer!['spec']).toEqual(spec)
    expect(parseBgpPeer(peer)).toMatchObject({ ok: true })
  })

  test("peers of a cluster that does not know them yet are made last, and are the release's", async () => {
    const objects = await render({ 'bgp.peers': [PEER] }, { isFirst: true })
    const hooks = objects
      .filter(({ metadata }) => metadata.annotations?.['helm.sh/hook'] === 'post-install')
      .map(({ kind, metadata }) => [kind, metadata.annotations?.['helm.sh/hook-weight'] ?? '0'])
    expect(hooks).toEqual([
      ['Pod', '-1'],
      ['BgpPeer', '0'],
    ])
    const [peer] = objects.filter(({ kind }) => kind === 'BgpPeer')
    expect(peer!.metadata).toMatchObject({
      labels: { 'app.kubernetes.io/managed-by': 'Helm' },
      annotations: {
        'meta.helm.sh/release-name': 'sipcast',
        'meta.helm.sh/release-namespace': NAMESPACE,
      },
    })
    const known = await render({ 'bgp.peers': [PEER] })
    expect(known.filter(({ metadata }) => metadata.name === 'sipcast-resources-known')).toEqual([])
  })
})
