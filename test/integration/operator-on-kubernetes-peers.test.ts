/**
 * BgpPeers and the operator on Kubernetes, on an API server in memory: their status, their Events.
 * Not here: every rule of it (operator/bgp-peers.test.ts, operator/announce-news.test.ts).
 */
import { paths } from '@sipcast/kube'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Site, until, untilOwning } from './operator-on-kubernetes/site.ts'

let site: Site

beforeEach(async () => {
  site = await Site.open()
})

afterEach(async () => {
  await site.close()
})

describe('BgpPeers', () => {
  const NAME = 'tor-a'
  const spec = { peerAddress: '192.0.2.1', peerASN: 64512, localASN: 64513 }
  const sessions = (state: string) => [{ peer: NAME, peerAddress: '192.0.2.1', state }]
  const reported = (state: string): void => {
    const heartbeatAt = new Date().toISOString()
    const status = { heartbeatAt, version: '0', bgpSessions: sessions(state) }
    site.server.put(paths.sipBalancer('node-a'), { metadata: { name: 'node-a' }, status })
  }
  const peer = async () => (await site.api.get(paths.bgpPeer(NAME)))?.['status']

  test('have a status of all their sessions; a lost one is an Event', async () => {
    const kind = { apiVersion: 'sipcast.io/v1alpha1', kind: 'BgpPeer' }
    await site.api.create(paths.bgpPeers(), { ...kind, metadata: { name: NAME }, spec })
    await site.lead()
    reported('Established')
    await until(async () =>
      expect(await peer()).toMatchObject({
        observedGeneration: 1,
        summary: { sessions: '1/1' },
        conditions: [{ reason: 'Accepted' }, { reason: 'AllEstablished' }],
      }),
    )
    reported('Idle')
    await until(async () => expect(await peer()).toMatchObject({ summary: { sessions: '0/1' } }))
    await until(async () => {
      const { items } = await site.api.list(paths.events('default'))
      expect(items).toContainEqual(
        expect.objectContaining({
          reason: 'BgpSessionDown',
          regarding: expect.objectContaining({ kind: 'BgpPeer', name: NAME }),
        }),
      )
    })
    const applies = site.server.seen.filter(({ path }) => path.endsWith('/bgppeers/tor-a/status'))
    expect(applies.length).toBeLessThanOrEqual(3)
  })

  test('that may not be read keep nobody from serving', async () => {
    const effect = { kind: 'refusal', status: 403, reason: 'Forbidden' } as const
    site.server.inject({ effect, resource: 'bgppeers' })
    await site.lead()
    await site.apply('default/voice', {
      addresses: ['203.0.113.10'],
      probe: { interval: '100ms', timeout: '80ms' },
      proxies: { static: [{ name: 'a', address: '192.0.2.1' }] },
    })
    await untilOwning(site, 'default/voice', ['a'])
  })
})
