import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  elapse,
  type Health,
  isSuspect,
  Observation,
  observe,
  SUSPICION_MS,
  startHealth,
} from './health.ts'
import { MemberState } from './table.ts'

const CONFIG = { fall: 2, rise: 3 }
const LETTERS: Readonly<Record<string, Observation>> = {
  a: Observation.accepted,
  x: Observation.rejected,
  u: Observation.unavailable,
  t: Observation.timeout,
  r: Observation.refused,
}

/** Runs one observation per letter, a second apart. */
function after(
  letters: string,
  start: MemberState | null = MemberState.up,
  config = CONFIG,
): Health {
  return [...letters].reduce(
    (health, letter, i) => {
      const observation = LETTERS[letter]
      return observation ? observe(health, observation, config, (i + 1) * 1000) : health
    },
    startHealth(start, 0),
  )
}

describe('one letter per probe: accepted, x rejected, unavailable, timeout, refused', () => {
  const { up, down, draining, unknown, notReady } = MemberState
  test.each([
    // A proxy that was Up in the last table.
    ['one miss is none', up, 't', up],
    ['fall misses', up, 'tt', down],
    ['misses in a row only', up, 'tatat', up],
    ['wrong answers are misses', up, 'xx', down],
    ['misses of all kinds add up', up, 'tx', down],
    ['one refusal only makes it suspect', up, 'r', up],
    ['a refusal and a refusal', up, 'rr', down],
    ['a refusal and silence', up, 'rt', down],
    ['a refusal and an answer', up, 'rat', up],
    ['503 with Retry-After drains at once', up, 'u', draining],
    ['draining ends after rise accepted', up, 'uaaa', up],
    ['not before', up, 'uaa', draining],
    ['nor if they are interrupted', up, 'uaauaa', draining],
    ['a draining proxy can die', up, 'utt', down],
    // A proxy that was Down in the last table.
    ['rise answers', down, 'aaa', up],
    ['in a row only', down, 'aataa', down],
    ['back, but still not accepting', down, 'aau', draining],
    ['and then needs rise accepted', down, 'aauaa', draining],
    ['to be Up', down, 'aauaaa', up],
    ['a dead one refuses on', down, 'rrr', down],
    // A proxy that is in no table: its first result is believed.
    ['new and well', null, 'a', up],
    ['new and draining', null, 'u', draining],
    ['new and silent', null, 't', down],
    ['new and refused', null, 'r', down],
    ['new and wrong', null, 'x', down],
    ['new: only the first is believed', null, 'aat', up],
    // In the last table, but not Up or Down there.
    ['drained before the restart: one answer', draining, 'a', up],
    ['drained by 503 before the restart', draining, 'u', draining],
    ['not ready before the restart: its silence is not believed at once', notReady, 't', unknown],
    ['but after fall misses', notReady, 'tt', down],
    ['unknown before the restart', unknown, 'xa', up],
  ])('%s: %s and %s is %s', (_, start, letters, expected) => {
    expect(after(letters, start).state).toBe(expected)
  })
})

describe('a suspect', () => {
  test('is Down when the time to answer is over', () => {
    const suspect = after('r')
    expect(isSuspect(suspect)).toBe(true)
    expect(elapse(suspect, 1000 + SUSPICION_MS - 1)).toBe(suspect)
    expect(elapse(suspect, 1000 + SUSPICION_MS)).toMatchObject({
      state: MemberState.down,
      sinceMs: 1000 + SUSPICION_MS,
      reason: Observation.refused,
    })
  })

  test('is one no more once anything answers', () => {
    for (const answer of ['a', 'x', 'u']) {
      const health = after(`r${answer}`)
      expect(isSuspect(health)).toBe(false)
      expect(elapse(health, 1e9)).toBe(health)
    }
  })

  test('with fall 1 a refusal needs no second', () => {
    expect(after('r', MemberState.up, { fall: 1, rise: 1 }).state).toBe(MemberState.down)
  })
})

describe('silence', () => {
  test('begins with the first unanswered probe and ends with any answer', () => {
    expect(after('at').silentSinceMs).toBe(2000)
    expect(after('attt').silentSinceMs).toBe(2000)
    for (const answer of ['a', 'x', 'u', 'r']) {
      expect(after(`tt${answer}`).silentSinceMs).toBe(null)
    }
  })

  test('after a refusal is no silence: hosts limit the rate of their ICMPs', () => {
    expect(after('rttrt').silentSinceMs).toBe(null)
    expect(after('rtattt').silentSinceMs).toBe(4000)
  })
})

test('since changes exactly when the state does, and the reason says why', () => {
  const letters = fc.string({ unit: fc.constantFrom(...Object.keys(LETTERS)), maxLength: 30 })
  const starts = fc.constantFrom(null, ...Object.values(MemberState))
  fc.assert(
    fc.property(letters, starts, (text, start) => {
      for (let end = 1; end <= text.length; end++) {
        const [before, now] = [
          after(text.slice(0, end - 1), start),
          after(text.slice(0, end), start),
        ]
        const changed = now.state !== before.state
        expect(now.sinceMs).toBe(changed ? end * 1000 : before.sinceMs)
        expect(now.reason).toBe(changed ? LETTERS[text.charAt(end - 1)] : before.reason)
        // Never Up without an answer, never Down with one.
        expect(
          now.state !== MemberState.down || !/[au]$/.test(text.slice(0, end)) || !changed,
        ).toBe(true)
        expect(now.state !== MemberState.up || !/[xtr]$/.test(text.slice(0, end)) || !changed).toBe(
          true,
        )
      }
    }),
  )
})

describe('how long a death goes unnoticed, with the default probe', () => {
  const [intervalMs, timeoutMs] = [500, 400]

  test('a hung proxy: at most interval · fall + timeout', () => {
    for (let phaseMs = 0; phaseMs < intervalMs; phaseMs += 20) {
      let health = startHealth(MemberState.up, 0)
      let nowMs = 0
      // Dead from 0 on; probes leave at the phase and every interval after it.
      for (let sentMs = phaseMs; health.state !== MemberState.down; sentMs += intervalMs) {
        nowMs = sentMs + timeoutMs
        health = observe(health, Observation.timeout, CONFIG, nowMs)
      }
      expect(nowMs).toBeLessThanOrEqual(intervalMs * CONFIG.fall + timeoutMs)
    }
  })

  test('a killed proxy: at most 0.7 s, whether the second ICMP comes or not', () => {
    for (let phaseMs = 0; phaseMs <= intervalMs; phaseMs += 20) {
      const suspect = observe(
        startHealth(MemberState.up, 0),
        Observation.refused,
        CONFIG,
        phaseMs + 1,
      )
      expect(observe(suspect, Observation.refused, CONFIG, phaseMs + 2).state).toBe(
        MemberState.down,
      )
      expect(elapse(suspect, 700).state).toBe(MemberState.down)
    }
  })
})
