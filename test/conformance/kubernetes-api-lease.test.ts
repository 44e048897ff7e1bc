/** One leader among several, over an API server that may misbehave: never two at once, and soon one again. */
import { ApiServer, LeaderLease, type LeaseNotice, paths } from '@sipcast/kube'
import { FakeApiServer, type Fault } from '@sipcast/lab'
import { systemClock } from '@sipcast/net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { namespace } from './kubernetes-api/skin.ts'

/** A tenth and less of what is used in earnest. */
const DURATION_MS = 2_000
const RENEW_MS = 200
const DEADLINE_MS = (DURATION_MS * 2) / 3
/** At once, on whatever machine: well before the duration is over. */
const AT_ONCE_MS = DURATION_MS / 2

interface Contender {
  readonly lease: LeaderLease
  readonly notices: LeaseNotice[]
  /** Why, and when by the real clock. */
  readonly lost: { why: string; atMs: number }[]
  readonly ending: AbortController
  acquire(seenMax?: () => number): Promise<number>
}

const path = paths.lease(namespace, 'operator')
let fake: FakeApiServer
let apis: ApiServer[]
let contenders: Contender[]

beforeEach(async () => {
  fake = await FakeApiServer.start()
  apis = []
  contenders = []
})

afterEach(async () => {
  fake.faults.clear()
  for (const { ending, lease } of contenders) {
    ending.abort()
    await lease.release()
  }
  for (const api of apis) api.close()
  await fake.goAway()
})

/** `clockMs`: how far its monotonic clock is from the others'. */
function contender(identity: string, clockMs = 0, durationMs = DURATION_MS): Contender {
  const api = new ApiServer({ access: fake.access })
  apis.push(api)
  const notices: LeaseNotice[] = []
  const lost: Contender['lost'] = []
  const ending = new AbortController()
  const lease = new LeaderLease({
    api,
    namespace,
    name: 'operator',
    identity,
    durationMs,
    renewMs: RENEW_MS,
    clock: { ...systemClock, nowMs: () => performance.now() + clockMs },
    tell: (notice) => void notices.push(notice),
  })
  lease.onLost((why) => void lost.push({ why, atMs: performance.now() }))
  const acquire = (seenMax?: () => number) => lease.acquire(ending.signal, seenMax)
  const made = { lease, notices, lost, ending, acquire }
  contenders.push(made)
  return made
}

describe('taking', () => {
  it('takes a lease that nobody made yet, and says so as Kubernetes does', async () => {
    // A request may take a fifth of the duration: the first one is the slowest.
    const a = contender('a', 0, 20_000)
    expect(await a.acquire()).toBe(0)
    expect(a.lease.isHeld).toBe(true)
    expect(spec()).toMatchObject({
      holderIdentity: 'a',
      leaseDurationSeconds: 20,
      leaseTransitions: 0,
      renewTime: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/),
      acquireTime: expect.any(String),
    })
    expect(a.notices.map(({ event }) => event)).toEqual(['LeaseAcquired'])
  })

  it('lets one of two have it, and the other at once when it is released', async () => {
    const [a, b] = [contender('a'), contender('b')]
    await a.acquire()
    const second = b.acquire()
    await pause(DURATION_MS * 1.5)
    expect(b.lease.isHeld).toBe(false)
    expect(b.notices).toMatchObject([
      { event: 'LeaseHeldByOther', message: expect.stringContaining('a') },
    ])
    await a.lease.release()
    const releasedAtMs = performance.now()
    expect(a.lease.isHeld).toBe(false)
    expect(await second).toBe(1)
    expect(performance.now() - releasedAtMs).toBeLessThan(AT_ONCE_MS)
    expect(a.lost).toEqual([])
  })

  it('gives it to exactly one of many who come at once', async () => {
    const many = ['a', 'b', 'c', 'd', 'e'].map((identity) => contender(identity))
    for (const each of many) void each.acquire().catch(() => {})
    await pause(RENEW_MS * 4)
    expect(many.filter(({ lease }) => lease.isHeld)).toHaveLength(1)
    expect(spec().leaseTransitions).toBe(0)
  })

  it('takes over from a holder that died, after the duration as seen by its own clock', async () => {
    fake.put(
      path,
      heldBy('dead', { renewTime: '2099-01-01T00:00:00.000000Z', leaseTransitions: 7 }),
    )
    const startMs = performance.now()
    const a = contender('a', 1e9)
    expect(await a.acquire()).toBe(8)
    const tookMs = performance.now() - startMs
    expect(tookMs).toBeGreaterThan(DURATION_MS)
    expect(tookMs).toBeLessThan(DURATION_MS + AT_ONCE_MS)
  })

  it('never takes what is renewed, whatever the holder believes to be the time', async () => {
    const renew = (n: number) =>
      fake.put(path, heldBy('other', { renewTime: `1999-01-01T00:00:0${n % 10}.000000Z` }))
    renew(0)
    const a = contender('a')
    void a.acquire().catch(() => {})
    for (let n = 1; n <= 10; n++) {
      await pause(DURATION_MS / 4)
      renew(n)
    }
    expect(a.lease.isHeld).toBe(false)
    expect(a.notices.map(({ event }) => event)).not.toContain('LeaseAcquired')
  })

  it('takes over at once what a process of its own identity left, as a transition of its own', async () => {
    fake.put(path, heldBy('a', { leaseTransitions: 3 }))
    const startMs = performance.now()
    expect(await contender('a').acquire()).toBe(4)
    expect(performance.now() - startMs).toBeLessThan(AT_ONCE_MS)
  })

  it('goes beyond the highest number met elsewhere when somebody deleted the lease', async () => {
    expect(await contender('a').acquire(() => 41)).toBe(42)
    expect(spec().leaseTransitions).toBe(42)
  })

  it('waits for an API server that is not there, and says so once', async () => {
    await fake.goAway()
    const a = contender('a')
    const acquired = a.acquire()
    await pause(RENEW_MS * 5)
    expect(a.notices.map(({ event }) => event)).toEqual(['LeaseUnreachable'])
    await fake.comeBack()
    expect(await acquired).toBe(0)
  })

  it('can be called off', async () => {
    fake.put(path, heldBy('other'))
    const a = contender('a')
    const acquired = a.acquire()
    a.ending.abort(new Error('enough'))
    await expect(acquired).rejects.toThrow('enough')
  })
})

describe('keeping', () => {
  const swallowed: Fault = { verbs: ['replace'], effect: { kind: 'silence' } }
  const broken: Fault = { verbs: ['replace'], effect: { kind: 'refusal', status: 500 } }
  const cut: Fault = { verbs: ['replace'], effect: { kind: 'reset' } }

  it.each([
    ['swallowed', swallowed],
    ['refused', broken],
    ['cut off', cut],
  ])(
    'tells its loss at the deadline when renewals are %s, before anybody else may have it',
    async (_how, fault) => {
      const [a, b] = [contender('a'), contender('b')]
      await a.acquire()
      const second = b.acquire()
      await pause(RENEW_MS * 2)
      const failingSinceMs = performance.now()
      const end = fake.inject(fault)
      await expect.poll(() => a.lost, { timeout: DURATION_MS, interval: 5 }).toHaveLength(1)
      expect(a.lease.isHeld).toBe(false)
      const lostAfterMs = a.lost[0]!.atMs - failingSinceMs
      expect(lostAfterMs).toBeLessThan(DURATION_MS)
      expect(lostAfterMs).toBeGreaterThan(DEADLINE_MS - RENEW_MS - 50)
      expect(b.lease.isHeld).toBe(false)
      end()
      expect(await second).toBe(1)
      expect(performance.now() - failingSinceMs).toBeGreaterThan(DURATION_MS - RENEW_MS)
    },
  )

  it('outlives an outage shorter than the deadline', async () => {
    const a = contender('a')
    await a.acquire()
    await fake.goAway()
    await pause(DEADLINE_MS / 2)
    await fake.comeBack()
    await pause(DEADLINE_MS)
    expect(a.lease.isHeld).toBe(true)
    expect(a.lost).toEqual([])
    expect(spec().leaseTransitions).toBe(0)
  })

  it('is not confused by answers that were lost', async () => {
    const a = contender('a')
    await a.acquire()
    fake.inject({ verbs: ['replace'], effect: { kind: 'lostAnswer' }, times: 1 })
    await pause(DURATION_MS * 1.5)
    expect(a.lease.isHeld).toBe(true)
    expect(a.lost).toEqual([])
  })

  it('takes a conflict for what it is: a note somebody added, or another holder', async () => {
    const a = contender('a')
    await a.acquire()
    const { metadata } = lease()
    fake.put(path, { ...lease(), metadata: { ...metadata, annotations: { seen: 'by me' } } })
    await pause(RENEW_MS * 5)
    expect(a.lease.isHeld).toBe(true)
    expect(lease().metadata.annotations).toEqual({ seen: 'by me' })
    fake.put(path, heldBy('b', { leaseTransitions: 1 }))
    await expect.poll(() => a.lost, { timeout: AT_ONCE_MS }).toHaveLength(1)
    expect(a.lost[0]!.why).toContain('b')
    expect(spec().holderIdentity).toBe('b')
  })

  it('is lost to a later process of its own identity', async () => {
    const [first, second] = [contender('a'), contender('a')]
    await first.acquire()
    expect(await second.acquire()).toBe(1)
    await expect.poll(() => first.lost, { timeout: AT_ONCE_MS }).toHaveLength(1)
    expect(second.lease.isHeld).toBe(true)
  })

  it('makes a lease anew that somebody deleted, with its number', async () => {
    fake.put(path, heldBy('', { leaseTransitions: 5 }))
    const a = contender('a')
    await a.acquire()
    fake.take(path)
    await expect.poll(() => fake.objects(paths.leases(namespace))).toHaveLength(1)
    expect(spec()).toMatchObject({ holderIdentity: 'a', leaseTransitions: 6 })
    expect(a.lost).toEqual([])
  })

  it('knows that a frozen process may have lost it, before any timer of its tells', async () => {
    let frozenMs = 0
    const api = new ApiServer({ access: fake.access })
    apis.push(api)
    const lease = new LeaderLease({
      api,
      namespace,
      name: 'operator',
      identity: 'a',
      durationMs: DURATION_MS,
      renewMs: RENEW_MS,
      clock: { ...systemClock, nowMs: () => performance.now() + frozenMs },
      tell: () => {},
    })
    await lease.acquire(new AbortController().signal)
    frozenMs = DEADLINE_MS + 1
    expect(lease.isHeld).toBe(false)
    await lease.release()
  })

  it('tells who asks too late', async () => {
    const a = contender('a')
    await a.acquire()
    fake.put(path, heldBy('b', { leaseTransitions: 1 }))
    await expect.poll(() => a.lost).toHaveLength(1)
    const late: string[] = []
    a.lease.onLost((why) => void late.push(why))
    expect(late).toEqual([a.lost[0]!.why])
  })
})

describe('releasing', () => {
  it('leaves the lease alone that another has by now', async () => {
    const a = contender('a')
    await a.acquire()
    fake.put(path, heldBy('b', { leaseTransitions: 9 }))
    await a.lease.release()
    expect(spec()).toMatchObject({ holderIdentity: 'b', leaseTransitions: 9 })
  })

  it('gives up soon where the API server is away, and says so', async () => {
    const a = contender('a')
    await a.acquire()
    await fake.goAway()
    const startMs = performance.now()
    await a.lease.release()
    expect(performance.now() - startMs).toBeLessThan(DURATION_MS)
    expect(a.notices.at(-1)).toMatchObject({ level: 'warn', event: 'LeaseReleased' })
    await fake.comeBack()
  })
})

it('never has two leaders, and numbers that only grow, whatever happens', {
  timeout: 60_000,
}, async () => {
  const faults: Fault[] = (['silence', 'reset', 'lostAnswer', 'hangUp'] as const).map((kind) => ({
    verbs: ['replace', 'get', 'create'],
    effect: { kind },
  }))
  const numbers: number[] = []
  let leadersMax = 0
  const looking = setInterval(() => {
    const leaders = contenders.filter(({ lease }) => lease.isHeld).length
    leadersMax = Math.max(leadersMax, leaders)
  }, 2)
  const live = async (identity: string, untilMs: number) => {
    while (performance.now() < untilMs) {
      const each = contender(identity, Math.random() * 1e6)
      const timer = setTimeout(() => each.ending.abort(), untilMs - performance.now())
      const number = await each.acquire().catch(() => null)
      clearTimeout(timer)
      if (number === null) return
      numbers.push(number)
      const { promise: lost, resolve } = Promise.withResolvers<void>()
      each.lease.onLost(() => resolve())
      await Promise.race([lost, pause(500 + Math.random() * 2_000)])
      await each.lease.release()
    }
  }
  const untilMs = performance.now() + 15_000
  const lives = ['a', 'b', 'c'].map((identity) => live(identity, untilMs))
  while (performance.now() < untilMs) {
    const end = fake.inject(faults[Math.floor(Math.random() * faults.length)]!)
    await pause(Math.random() * DEADLINE_MS * 1.5)
    end()
    await pause(Math.random() * DURATION_MS)
  }
  await Promise.all(lives)
  clearInterval(looking)
  expect(leadersMax).toBe(1)
  expect(numbers.length).toBeGreaterThan(3)
  expect(numbers).toEqual([...new Set(numbers)].toSorted((x, y) => x - y))
})

interface Spec {
  readonly holderIdentity: string
  readonly leaseTransitions: number
}

function lease() {
  return fake.objects(paths.leases(namespace))[0]!
}

function spec(): Spec {
  return lease()['spec'] as Spec
}

function heldBy(holderIdentity: string, more: object = {}) {
  const spec = {
    holderIdentity,
    leaseDurationSeconds: DURATION_MS / 1000,
    leaseTransitions: 0,
    ...more,
  }
  return { metadata: { name: 'operator' }, spec }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
