/** BIRD and the file in memory. The real ones: test/integration/anycast-announcer.test.ts. */
import { ManualClock } from '@sipcast/net'
import { describe, expect, it } from 'vitest'
import { GATHER_MS } from '../../limits.ts'
import type { Notice } from '../../ports.ts'
import type { Orders, Proof } from '../../proof.ts'
import type { Manifests, ReadManifests } from './inputs.ts'
import { BirdKeeper } from './keeper.ts'
import { ENABLE_MS, KEEP_FAST_FOR_MS, KEEP_HUNG_MS, PASSWORD_PATIENCE_MS } from './limits.ts'
import { readPeers } from './orders.ts'
import { BirdError, BirdErrorCode } from './ports.ts'
import type { BgpSession } from './sessions.ts'

const SECOND_MS = 1_000
const PROOF: Proof = {
  name: 'node-a',
  at: '',
  isAlive: true,
  addresses: [],
  isComplete: true,
  ready: [],
  isLeaving: false,
  reason: '',
  inside: ['192.0.2.10'],
  orders: null,
}

function peer(name: string, spec: object = {}) {
  return {
    apiVersion: 'sipcast.io/v1alpha1',
    kind: 'BgpPeer',
    metadata: { name },
    spec: { peerAddress: '192.0.2.1', peerASN: 64_600, localASN: 64_512, ...spec },
  }
}

function established(name: string): BgpSession {
  const since = '2026-01-01T00:00:00.000Z'
  return {
    peer: name,
    peerAddress: '192.0.2.1',
    state: 'Established',
    since,
    bfd: 'Up',
    bfdSince: since,
    exported: { ipv4: 1, ipv6: 0 },
    message: null,
    isGivenUp: false,
  }
}

class World {
  readonly time = new ManualClock()
  readonly notices: Notice[] = []
  /** In the file; null: there is none. */
  file: string | null = null
  /** What BIRD uses. */
  readonly applied: string[] = []
  sessions: readonly BgpSession[] = []
  failure: BirdError | null = null
  /** Of the file alone. */
  refusal: BirdError | null = null
  offers = 0
  looks = 0
  isDown = false
  readonly enabled: string[] = []
  readonly passwords = new Map<string, string>()
  arePasswordsOutOfReach = false
  manifests: Manifests | null = null
  unread: ReadManifests['problems'] = []
  manifestsChanged: () => void = () => undefined
  isWatching = false
  maintenanceChanges = 0
  readonly keeper: BirdKeeper

  constructor({ hasDirectory = false } = {}) {
    this.keeper = new BirdKeeper({
      clock: {
        monotonicMs: () => this.time.nowMs(),
        iso: () => '2026-01-01T00:01:00.000Z',
        after: (delayMs, callback) => this.time.setTimer(delayMs, callback),
      },
      bird: {
        sessions: async () => {
          this.looks++
          if (this.failure !== null) throw this.failure
          return this.sessions
        },
        enable: async (peer) => {
          this.enabled.push(peer)
          throw new BirdError(BirdErrorCode.refused, 'already enabled')
        },
        down: async () => {
          if (this.failure !== null) throw this.failure
          this.isDown = true
        },
      },
      file: {
        prepare: async (text) => {
          this.file ??= text
        },
        apply: async (text) => {
          this.offers++
          const failure = this.failure ?? this.refusal
          if (failure !== null) throw failure
          this.file = text
          this.applied.push(text)
        },
      },
      passwords: {
        read: async (secret, key) => {
          if (this.arePasswordsOutOfReach) return undefined
          return this.passwords.get(`${secret}/${key}`) ?? null
        },
        remedy: 'put it there',
      },
      manifests: hasDirectory ? this.#directory() : null,
      readPeers: async (objects, before) => readPeers(objects, before),
      pools: ['203.0.113.0/24'],
      tell: (notice) => void this.notices.push(notice),
    })
  }

  #directory() {
    return {
      read: async () => ({ manifests: this.manifests, problems: this.unread }),
      watch: (changed: () => void) => {
        this.manifestsChanged = changed
        this.isWatching = true
        return () => void (this.isWatching = false)
      },
    }
  }

  start(): void {
    this.keeper.start(() => void this.maintenanceChanges++)
  }

  async startWith(orders: Orders | null): Promise<void> {
    this.start()
    this.keeper.heard({ ...PROOF, orders })
    await this.pass(SECOND_MS)
  }

  async pass(ms: number, stepMs = 50): Promise<void> {
    for (let left = ms; left > 0; left -= stepMs) {
      this.time.advance(Math.min(left, stepMs))
      for (let turn = 0; turn < 3; turn++) await new Promise(setImmediate)
    }
  }

  events(): readonly string[] {
    return this.notices.splice(0).map(({ event }) => event)
  }

  get reasons(): readonly string[] {
    return this.keeper.problems.map(({ reason }) => reason)
  }
}

const ORDERS: Orders = { peers: [peer('router-a')], nodeLabels: {} }

describe('a configuration', () => {
  it('waits until it is known what is wanted, and who this node is', async () => {
    const world = new World()
    world.start()
    await world.pass(3 * SECOND_MS)
    world.keeper.heard(PROOF)
    await world.pass(3 * SECOND_MS)
    expect([world.file, world.offers]).toEqual([null, 0])
    world.keeper.heard({ ...PROOF, orders: ORDERS })
    await world.pass(SECOND_MS)
    expect(world.applied).toHaveLength(1)
    expect(world.file).toMatch("protocol bgp ':router-a'")
    expect(world.file).toMatch('router id 192.0.2.10;')
    expect(world.keeper.state.isConfigured).toBe(true)
  })

  it('is put into use once, and again when something changes', async () => {
    const world = new World()
    await world.startWith(ORDERS)
    await world.pass(20 * SECOND_MS)
    expect(world.applied).toHaveLength(1)
    const peers = [peer('router-b', { peerAddress: '192.0.2.2' }), ...ORDERS.peers]
    world.keeper.heard({ ...PROOF, orders: { ...ORDERS, peers } })
    await world.pass(SECOND_MS)
    expect(world.applied).toHaveLength(2)
    expect(world.keeper.sessionsWanted).toBe(2)
    // A balancer that starts anew and does not know yet takes nothing back.
    world.keeper.heard(PROOF)
    await world.pass(5 * SECOND_MS)
    expect(world.applied).toHaveLength(2)
    expect(world.events()).toEqual(['BirdConfigured', 'BirdConfigured'])
  })

  it('asks routers to turn to others at once', async () => {
    const world = new World()
    await world.startWith(ORDERS)
    await world.pass(2 * KEEP_FAST_FOR_MS)
    world.keeper.setShuttingDown(true)
    await world.pass(50, 25)
    expect(world.applied.at(-1)).toMatch('(65535, 0)')
    world.keeper.setShuttingDown(false)
    await world.pass(50, 25)
    expect(world.applied.at(-1)).toBe(world.applied[0])
  })

  it('that BIRD refuses is told in its words, and offered again when something changes', async () => {
    const world = new World()
    await world.startWith(ORDERS)
    world.refusal = new BirdError(BirdErrorCode.refused, 'line 7:1 syntax error')
    const peers = [peer('router-a', { peerASN: 1 })]
    world.keeper.heard({ ...PROOF, orders: { ...ORDERS, peers } })
    await world.pass(20 * SECOND_MS)
    expect([world.offers, world.applied.length]).toEqual([2, 1])
    expect(world.keeper.problems).toMatchObject([
      { reason: 'BirdRefused', message: expect.stringMatching(/last good one: line 7:1 syntax/) },
    ])
    expect(world.keeper.state.isConfigured).toBe(false)
    expect(world.keeper.state.isAnswering).toBe(true)
    world.keeper.heard({ ...PROOF, orders: ORDERS })
    await world.pass(SECOND_MS)
    expect([world.reasons, world.keeper.state.isConfigured]).toEqual([[], true])
    expect([...world.keeper.state.outcomes]).toEqual([
      ['applied', 1],
      ['refused', 1],
    ])
  })

  it('that cannot be written is tried again, and sessions are looked at all the same', async () => {
    const world = new World()
    world.sessions = [established('router-a')]
    world.refusal = new BirdError(BirdErrorCode.unwritable, 'cannot keep /x: ENOSPC')
    await world.startWith(ORDERS)
    await world.pass(5 * SECOND_MS)
    expect(world.reasons).toEqual(['BirdUnwritable'])
    expect([world.keeper.hasSession, world.offers > 3]).toEqual([true, true])
    world.refusal = null
    await world.pass(SECOND_MS)
    expect([world.reasons, world.applied.length]).toEqual([[], 1])
  })

  it('leaves out who is invalid or has no password, and says so', async () => {
    const world = new World()
    const secret = { passwordSecretRef: { name: 'bgp' }, peerAddress: '192.0.2.2' }
    const peers = [
      ...ORDERS.peers,
      peer('secretive', secret),
      peer('broken', { peerASN: 0 }),
      'no object at all',
    ]
    await world.startWith({ ...ORDERS, peers })
    expect(world.reasons).toEqual(['PasswordMissing', 'PeerInvalid', 'PeerInvalid'])
    expect(world.keeper.problems[0]?.message).toMatch(/key password of Secret bgp: put it there/)
    expect(world.keeper.problems[1]?.message).toMatch(/^BgpPeer broken: spec\.peerASN/)
    expect(world.keeper.sessionsWanted).toBe(2)
    expect(world.file).not.toMatch('secretive')
    world.passwords.set('bgp/password', 'sesame')
    await world.pass(2 * SECOND_MS)
    expect(world.file).toMatch('password "sesame"')
    expect(world.reasons).toEqual(['PeerInvalid', 'PeerInvalid'])
  })

  it('goes on as it was with a peer that has become invalid, or whose password is gone', async () => {
    const world = new World()
    world.passwords.set('bgp/password', 'sesame')
    const good = peer('secretive', { passwordSecretRef: { name: 'bgp' } })
    await world.startWith({ ...ORDERS, peers: [good] })
    const { file } = world
    const bad = peer('secretive', { passwordSecretRef: { name: 'bgp' }, peerASN: 0 })
    world.keeper.heard({ ...PROOF, orders: { ...ORDERS, peers: [bad] } })
    await world.pass(2 * SECOND_MS)
    expect(world.reasons).toEqual(['PeerInvalid'])
    expect(world.keeper.problems[0]?.message).toMatch(/peerASN.* It stays as it was\.$/)
    world.passwords.clear()
    await world.pass(2 * SECOND_MS)
    expect(world.reasons).toEqual(['PeerInvalid', 'PasswordMissing'])
    world.passwords.set('bgp/password', '')
    await world.pass(2 * SECOND_MS)
    expect([world.file, world.applied.length]).toEqual([file, 1])
    world.keeper.heard({ ...PROOF, orders: { ...ORDERS, peers: [] } })
    await world.pass(2 * SECOND_MS)
    expect([world.reasons, world.keeper.sessionsWanted]).toEqual([[], 0])
  })

  it('never leaves out a peer whose password was only not read yet', async () => {
    const world = new World()
    world.passwords.set('bgp/password', 'sesame')
    const peers = [peer('secretive', { passwordSecretRef: { name: 'bgp' } })]
    await world.startWith({ ...ORDERS, peers })
    expect(world.applied).toHaveLength(1)
    expect(world.applied[0]).toMatch('password "sesame"')
  })

  it('waits for a password that cannot be read just now, but not for ever', async () => {
    const world = new World()
    world.arePasswordsOutOfReach = true
    const secretive = { peerAddress: '192.0.2.2', passwordSecretRef: { name: 'bgp' } }
    const peers = [peer('open'), peer('secretive', secretive)]
    await world.startWith({ ...ORDERS, peers })
    await world.pass(PASSWORD_PATIENCE_MS - 3 * SECOND_MS)
    expect(world.applied).toEqual([])
    await world.pass(4 * SECOND_MS)
    expect(world.applied).toHaveLength(1)
    expect(world.applied[0]).toMatch(':open')
    expect(world.reasons).toEqual(['PasswordMissing'])
    world.arePasswordsOutOfReach = false
    world.passwords.set('bgp/password', 'sesame')
    await world.pass(2 * SECOND_MS)
    expect([world.applied.at(-1), world.reasons]).toEqual([expect.stringMatching('sesame'), []])
  })
})

describe('BIRD', () => {
  it('absent: its file is prepared without routers, and it is told when it comes', async () => {
    const world = new World()
    world.failure = new BirdError(BirdErrorCode.absent, 'connect ENOENT')
    await world.startWith(ORDERS)
    await world.pass(3 * SECOND_MS)
    expect(world.file).not.toMatch('protocol bgp')
    expect(world.reasons).toEqual(['BirdAbsent'])
    expect(world.keeper.sessions).toMatchObject([{ peer: 'router-a', state: 'Idle' }])
    world.failure = null
    world.sessions = [established('router-a')]
    await world.pass(SECOND_MS)
    expect([world.reasons, world.keeper.hasSession]).toEqual([[], true])
    expect(world.file).toMatch('protocol bgp')
  })

  it('that ended is told of once, and told again what is wanted', async () => {
    const world = new World()
    world.sessions = [established('router-a')]
    await world.startWith(ORDERS)
    world.events()
    world.failure = new BirdError(BirdErrorCode.absent, 'connect ECONNREFUSED')
    await world.pass(10 * SECOND_MS)
    expect(world.events()).toEqual(['BgpSessionDown', 'BfdSessionDown'])
    expect([world.keeper.hasSession, world.keeper.state.isAnswering]).toEqual([false, false])
    world.failure = null
    await world.pass(SECOND_MS)
    expect(world.applied).toHaveLength(2)
    expect(world.events().toSorted()).toEqual(['BfdSessionUp', 'BgpSessionUp', 'BirdConfigured'])
    expect(world.keeper.state.changes('BGP')).toEqual([[{ peer: 'router-a' }, 2]])
  })

  it('silent: nobody knows of its sessions, and none is said to have changed', async () => {
    const world = new World()
    world.sessions = [established('router-a')]
    await world.startWith(ORDERS)
    world.events()
    world.failure = new BirdError(BirdErrorCode.silent, 'no answer within 2000 ms')
    await world.pass(5 * SECOND_MS)
    expect([world.reasons, world.keeper.hasSession]).toEqual([['BirdSilent'], false])
    world.failure = null
    await world.pass(SECOND_MS)
    expect(world.events()).toEqual(['BirdConfigured'])
    expect(world.keeper.state.changes('BGP')).toEqual([[{ peer: 'router-a' }, 0]])
  })

  it('is looked at more often while something changes', async () => {
    const world = new World()
    await world.startWith(ORDERS)
    await world.pass(KEEP_FAST_FOR_MS + 2 * SECOND_MS)
    const looksIn10s = async () => {
      const before = world.looks
      await world.pass(10 * SECOND_MS)
      return world.looks - before
    }
    expect(await looksIn10s()).toBeLessThanOrEqual(11)
    world.sessions = [{ ...established('router-a'), state: 'Connect' }]
    await world.pass(SECOND_MS)
    world.sessions = [established('router-a')]
    await world.pass(SECOND_MS)
    expect(await looksIn10s()).toBeGreaterThan(30)
  })

  it('ends where it is told to, and only there; where it is gone already, nothing happens', async () => {
    const ends = async (isBirdToEnd: boolean, failure: BirdError | null = null) => {
      const world = new World()
      await world.startWith(ORDERS)
      world.failure = failure
      await world.keeper.stop(isBirdToEnd)
      return world.isDown
    }
    expect([await ends(true), await ends(false)]).toEqual([true, false])
    expect(await ends(true, new BirdError(BirdErrorCode.absent, 'ENOENT'))).toBe(false)
  })
})

it('begins a session again that BIRD has given up, now and then', async () => {
  const world = new World()
  world.sessions = [
    { ...established('router-a'), state: 'Idle', isGivenUp: true },
    { ...established('router-b'), state: 'Idle' },
  ]
  await world.startWith(ORDERS)
  await world.pass(ENABLE_MS - SECOND_MS)
  expect(world.enabled).toEqual(['router-a'])
  expect([world.reasons, world.keeper.sessions.length]).toEqual([[], 2])
  await world.pass(2 * SECOND_MS)
  expect(world.enabled).toEqual(['router-a', 'router-a'])
  world.sessions = [established('router-a')]
  await world.pass(3 * ENABLE_MS)
  expect(world.enabled).toHaveLength(2)
})

describe('a directory', () => {
  const manifests: Manifests = { ...ORDERS, isInMaintenance: false }

  it('says what is wanted, instead of the proof', async () => {
    const world = new World({ hasDirectory: true })
    await world.startWith({ peers: [peer('of-the-proof')], nodeLabels: {} })
    expect(world.file).toBeNull()
    world.unread = [{ subject: 'x', reason: 'DirectoryUnreadable', message: 'x: ENOENT' }]
    await world.pass(2 * SECOND_MS)
    expect([world.file, world.reasons]).toEqual([null, ['DirectoryUnreadable']])
    world.unread = [{ subject: 'x', reason: 'ManifestUnreadable', message: 'x: line 3' }]
    world.manifests = { ...manifests, isInMaintenance: true }
    await world.pass(2 * SECOND_MS)
    expect(world.file).toMatch(':router-a')
    expect([world.keeper.isInMaintenance, world.reasons]).toEqual([true, ['ManifestUnreadable']])
  })

  it('is followed at once, and whoever asked is told of maintenance', async () => {
    const world = new World({ hasDirectory: true })
    expect(world.keeper.isInMaintenance).toBeNull()
    await world.startWith(null)
    expect([world.keeper.isInMaintenance, world.maintenanceChanges]).toEqual([null, 0])
    world.manifests = manifests
    world.manifestsChanged()
    await world.pass(GATHER_MS)
    expect([world.keeper.isInMaintenance, world.maintenanceChanges]).toEqual([false, 1])
    world.manifests = { ...manifests, isInMaintenance: true }
    world.manifestsChanged()
    await world.pass(GATHER_MS)
    expect([world.keeper.isInMaintenance, world.maintenanceChanges]).toEqual([true, 2])
    await world.pass(3 * SECOND_MS)
    expect(world.maintenanceChanges).toBe(2)
    await world.keeper.stop(false)
    expect(world.isWatching).toBe(false)
  })
})

it('lives as long as its passes end', async () => {
  const world = new World()
  await world.startWith(ORDERS)
  expect(world.keeper.healthProblem()).toBeNull()
  world.sessions = new Promise(() => undefined) as never
  await world.pass(SECOND_MS)
  world.time.advance(KEEP_HUNG_MS)
  expect(world.keeper.healthProblem()).toMatch(/BIRD was not looked at/)
})
