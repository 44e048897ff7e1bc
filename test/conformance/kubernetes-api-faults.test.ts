/**
 * List-and-watch against an API server that misbehaves: whatever happens, what is kept becomes what the server holds,
 * within two seconds of its return, and every change is told once.
 */

import { paths } from '@sipcast/kube'
import type { FakeApiServer } from '@sipcast/lab'
import { systemClock } from '@sipcast/net'
import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { Follower } from './kubernetes-api/follower.ts'
import { namespace } from './kubernetes-api/skin.ts'

const followers: Follower[] = []

afterEach(async () => {
  for (const follower of followers.splice(0)) await follower.close()
})

async function open(options: Parameters<typeof Follower.open>[0] = {}): Promise<Follower> {
  const follower = await Follower.open(options)
  followers.push(follower)
  return follower
}

/** Begins a fault; what it returns ends it. */
type Misfortune = (fake: FakeApiServer) => () => unknown

const refusal = (status: number, retryAfterSeconds?: number) => ({
  kind: 'refusal' as const,
  status,
  ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
})
const nothing = () => {}
const resetWatches = (fake: FakeApiServer) => fake.eachWatch((feed) => feed.reset())

const misfortunes: Readonly<Record<string, Misfortune>> = {
  'nobody listens': (fake) => {
    const gone = fake.goAway()
    return () => gone.then(() => fake.comeBack())
  },
  'every connection is reset': (fake) => {
    resetWatches(fake)
    return fake.inject({ effect: { kind: 'reset' } })
  },
  'every connection is closed without an answer': (fake) => {
    resetWatches(fake)
    return fake.inject({ effect: { kind: 'hangUp' } })
  },
  'watches are reset once': (fake) => {
    resetWatches(fake)
    return nothing
  },
  'watches end cleanly, again and again': (fake) => {
    const again = setInterval(() => fake.eachWatch((feed) => feed.endCleanly()), 50)
    return () => clearInterval(again)
  },
  'history is forgotten': (fake) => {
    fake.expire()
    return nothing
  },
  'history is forgotten and lists are refused as expired': (fake) => {
    fake.expire()
    return fake.inject({ verbs: ['list'], effect: refusal(410) })
  },
  'history is forgotten and lists are stale': (fake) => {
    const end = fake.inject({ verbs: ['list'], effect: { kind: 'staleLists' } })
    fake.put(paths.configMap(namespace, 'later'), {
      metadata: { name: 'later' },
      data: { value: 'x' },
    })
    // Seen by the watch before it ends: the lists are older than what is known.
    setTimeout(() => fake.expire(), 100)
    return end
  },
  'every request is an internal error': (fake) => {
    resetWatches(fake)
    return fake.inject({ effect: refusal(500) })
  },
  'rights are taken away and given back': (fake) => {
    resetWatches(fake)
    return fake.inject({ effect: refusal(403) })
  },
  'requests are throttled': (fake) => {
    resetWatches(fake)
    return fake.inject({ effect: refusal(429, 1) })
  },
  'requests are swallowed': (fake) => {
    resetWatches(fake)
    return fake.inject({ effect: { kind: 'silence' } })
  },
  'lists are swallowed': (fake) => {
    fake.expire()
    return fake.inject({ effect: { kind: 'silence' } })
  },
  'the server is slow': (fake) => {
    resetWatches(fake)
    return fake.inject({ effect: { kind: 'delay', ms: 1200 } })
  },
  'answers are garbled': (fake) => {
    resetWatches(fake)
    return fake.inject({ effect: { kind: 'garbage' } })
  },
  'watches say garbage': (fake) => {
    fake.eachWatch((feed) => feed.sendLine('{"type":"ADDED","obj'))
    return nothing
  },
  'watches tell of objects without a body': (fake) => {
    fake.eachWatch((feed) => feed.send('MODIFIED', []))
    return nothing
  },
}

describe('what is kept becomes what the server holds, when', () => {
  it.each(Object.entries(misfortunes))('%s', async (_name, begin) => {
    const follower = await open()
    for (const name of ['a', 'b', 'c']) follower.write(name, '1')
    await follower.started()
    const end = begin(follower.fake)
    await pause(300)
    follower.write('a', '2')
    follower.remove('b')
    follower.write('d', '1')
    await pause(700)
    follower.remove('c')
    follower.write('c', '3')
    await end()
    await follower.caughtUp()
    follower.write('a', 'and still follows')
    await follower.caughtUp()
    expect(follower.troubles.at(-1) ?? null).toBeNull()
  })

  // Half open: connections stay, nothing comes over them any more, and new ones are accepted and not answered.
  it('nothing is heard from it any more for a while', { timeout: 30_000 }, async () => {
    const follower = await (await open()).started()
    follower.fake.eachWatch((feed) => feed.silence())
    const end = follower.fake.inject({ effect: { kind: 'silence' } })
    follower.write('a', '1')
    await pause(12_500)
    expect(follower.kept).toEqual({})
    end()
    await follower.caughtUp()
  })
})

it('is back within two seconds after a long outage too', { timeout: 30_000 }, async () => {
  const follower = await (await open()).started()
  await follower.fake.goAway()
  await pause(8_000)
  follower.write('a', '1')
  await follower.fake.comeBack()
  await follower.caughtUp()
})

describe('lists that are older than what is known', () => {
  it('are refused, and told as trouble', async () => {
    const follower = await (await open()).started()
    await expect.poll(() => follower.fake.watchCount).toBe(1)
    const end = follower.fake.inject({ effect: { kind: 'staleLists' } })
    follower.write('a', '1')
    await follower.caughtUp()
    follower.fake.expire()
    await pause(1_000)
    expect(follower.kept).toEqual({ [`${namespace}/a`]: '1' })
    expect(follower.troubles).toEqual([expect.stringContaining('older than')])
    end()
    await expect.poll(() => follower.troubles.at(-1), { timeout: 2_000 }).toBeNull()
    await follower.caughtUp()
  })

  it('are believed in the end: versions are set back when a backup is restored', async () => {
    let laterMs = 0
    const clock = { ...systemClock, nowMs: () => systemClock.nowMs() + laterMs }
    const follower = await (await open({ clock })).started()
    await expect.poll(() => follower.fake.watchCount).toBe(1)
    follower.fake.inject({ effect: { kind: 'staleLists' } })
    follower.write('a', '1')
    await follower.caughtUp()
    follower.fake.expire()
    await expect.poll(() => follower.troubles).toHaveLength(1)
    laterMs = 31_000
    await expect.poll(() => follower.kept, { timeout: 3_000 }).toEqual({})
    expect(follower.breaks).toEqual([])
  })
})

describe('trouble', () => {
  it('is told once, with its reason, and its end once', async () => {
    const follower = await (await open()).started()
    await follower.fake.goAway()
    await pause(1_000)
    expect(follower.troubles).toEqual([expect.stringContaining('ECONNREFUSED')])
    expect(follower.listWatch.trouble).not.toBeNull()
    await follower.fake.comeBack()
    await expect.poll(() => follower.troubles, { timeout: 4_000 }).toHaveLength(2)
    expect(follower.troubles[1]).toBeNull()
    expect(follower.listWatch.trouble).toBeNull()
  })

  it('says what to do where the API server does not know the resource', async () => {
    const follower = await open()
    follower.fake.inject({ effect: { kind: 'refusal', status: 404 }, verbs: ['list'] })
    follower.listWatch.start()
    await expect
      .poll(() => follower.troubles)
      .toEqual([expect.stringMatching(/has no configmaps: .*CustomResourceDefinitions/)])
  })

  it('is not what passes at the first attempt', async () => {
    const follower = await (await open()).started()
    resetWatches(follower.fake)
    follower.write('a', '1')
    await follower.caughtUp()
    follower.fake.expire()
    follower.write('a', '2')
    await follower.caughtUp()
    expect(follower.troubles).toEqual([])
  })

  it('does not keep it from starting: it waits for the server as long as it takes', async () => {
    const follower = await open()
    await follower.fake.goAway()
    follower.listWatch.start()
    await pause(1_500)
    expect(follower.listWatch.isSynced).toBe(false)
    expect(follower.troubles).toHaveLength(1)
    follower.write('a', '1')
    await follower.fake.comeBack()
    await follower.caughtUp()
    expect(follower.listWatch.isSynced).toBe(true)
  })

  it('honours Retry-After', async () => {
    const follower = await (await open()).started()
    const end = follower.fake.inject({ effect: refusal(429, 2) })
    follower.fake.seen.length = 0
    resetWatches(follower.fake)
    await pause(1_800)
    end()
    expect(follower.fake.seen).toHaveLength(1)
  })

  it('does not make it ask more than a few times a second', async () => {
    const follower = await (await open()).started()
    follower.fake.inject({ effect: refusal(500) })
    follower.fake.seen.length = 0
    resetWatches(follower.fake)
    await pause(3_000)
    expect(follower.fake.seen.length).toBeLessThan(10)
  })
})

describe('defects of the program', () => {
  it('are reported, and the stream goes on', async () => {
    const defects: string[] = []
    const changes: string[] = []
    const follower = await open({
      take: ({ metadata }) => {
        if (metadata.name === 'poison') throw new Error('cannot take')
        return metadata.resourceVersion ?? ''
      },
      onChange: (id) => {
        if (id.endsWith('/hot')) throw new Error('cannot handle')
        changes.push(id)
      },
      onDefect: (error, id) => void defects.push(`${id}: ${(error as Error).message}`),
    })
    follower.write('poison', '1')
    follower.write('fine', '1')
    await follower.started()
    follower.write('hot', '1')
    follower.write('poison', '2')
    follower.write('fine', '2')
    await expect.poll(() => changes).toEqual([`${namespace}/fine`, `${namespace}/fine`])
    expect(defects).toEqual([
      `${namespace}/poison: cannot take`,
      `${namespace}/hot: cannot handle`,
      `${namespace}/poison: cannot take`,
    ])
    expect(follower.fake.watchCount).toBe(1)
    expect(follower.troubles).toEqual([])
  })
})

describe('the life of a list-and-watch', () => {
  it('ends with stop: nothing is told any more, no connection stays', async () => {
    const follower = await (await open()).started()
    await expect.poll(() => follower.fake.watchCount).toBe(1)
    follower.listWatch.stop()
    follower.write('a', '1')
    await expect.poll(() => follower.fake.watchCount).toBe(0)
    expect(follower.mirror.size).toBe(0)
  })

  it('can be stopped while it waits for a server that is not there', async () => {
    const follower = await open()
    await follower.fake.goAway()
    follower.listWatch.start()
    await pause(300)
    follower.listWatch.stop()
    await follower.fake.comeBack()
    await pause(500)
    expect(follower.fake.seen).toEqual([])
  })

  it('tells an object that was replaced by another of its name', async () => {
    const follower = await open()
    follower.write('a', '1')
    await follower.started()
    await follower.fake.goAway()
    follower.remove('a')
    follower.write('a', '2')
    await follower.fake.comeBack()
    await follower.caughtUp()
  })

  it('goes on from a bookmark, however quiet its own objects are', async () => {
    const follower = await (await open()).started()
    await expect.poll(() => follower.fake.watchCount).toBe(1)
    for (const name of ['a', 'b'])
      follower.fake.put(paths.secret(namespace, name), { metadata: { name } })
    await pause(700)
    follower.fake.seen.length = 0
    follower.fake.eachWatch((feed) => feed.endCleanly())
    await expect.poll(() => follower.fake.seen).toHaveLength(1)
    expect(follower.fake.seen[0]).toMatchObject({
      verb: 'watch',
      path: expect.stringContaining(
        `resourceVersion=${follower.fake.store.version}&allowWatchBookmarks=true`,
      ),
    })
  })

  it('reads a long list in pages', async () => {
    const follower = await open()
    for (let i = 0; i < 2_300; i++) follower.write(`m${i}`, `${i}`)
    await follower.started()
    await follower.caughtUp()
    expect(follower.fake.seen.filter(({ verb }) => verb === 'list')).toHaveLength(5)
  })

  it('begins a long list anew when its later pages have expired', async () => {
    const follower = await open()
    for (let i = 0; i < 1_200; i++) follower.write(`m${i}`, `${i}`)
    const slow = follower.fake.inject({ verbs: ['list'], effect: { kind: 'delay', ms: 100 } })
    follower.listWatch.start()
    await expect.poll(() => follower.fake.seen.length, { interval: 5 }).toBe(2)
    follower.fake.expire()
    slow()
    await follower.caughtUp()
    expect(follower.troubles).toEqual([])
  })
})

describe('any sequence of faults', () => {
  const steps = fc.array(
    fc.oneof(
      fc.record({ write: fc.constantFrom('a', 'b', 'c', 'd'), value: fc.nat(9) }),
      fc.record({ remove: fc.constantFrom('a', 'b', 'c', 'd') }),
      fc.record({ begin: fc.constantFrom(...Object.keys(misfortunes).slice(1)) }),
      fc.constant({ endOne: true }),
      fc.record({ pauseMs: fc.nat(120) }),
    ),
    { minLength: 5, maxLength: 30 },
  )

  it('leaves the cache equal to the server', { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (sequence) => {
        const follower = await (await Follower.open()).started()
        const ends: (() => unknown)[] = []
        for (const step of sequence) {
          if ('write' in step) follower.write(step.write, `${step.value}`)
          else if ('remove' in step) follower.remove(step.remove)
          else if ('begin' in step) ends.push(misfortunes[step.begin]!(follower.fake))
          else if ('endOne' in step) await ends.pop()?.()
          else await pause(step.pauseMs)
        }
        for (const end of ends) await end()
        await pause(100)
        try {
          await follower.caughtUp()
        } finally {
          await follower.close()
        }
      }),
      { numRuns: 25, endOnFailure: true },
    )
  })
})

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
