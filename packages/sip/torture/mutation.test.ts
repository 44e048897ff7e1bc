/** Broken messages by the hundred thousand; more with SIPCAST_MUTATIONS=1000000, others with SIPCAST_SEED=n. */
import { expect, test } from 'vitest'
import { breakMessages } from './mutation.fixture.ts'

const count = Number(process.env['SIPCAST_MUTATIONS'] ?? 120_000)
const seed = Number(process.env['SIPCAST_SEED'] ?? 4475)
const MICROSECONDS_EACH_MAX = 500

test(`${count} broken messages, seed ${seed}`, {
  timeout: 5_000 + (count * MICROSECONDS_EACH_MAX) / 1000,
}, () => {
  const { understood, answerable, dropped } = breakMessages(seed, count)
  expect(understood + answerable + dropped).toBe(count)
  // A mutation that breaks everything, or nothing, would test little.
  for (const share of [understood, answerable, dropped]) expect(share / count).toBeGreaterThan(0.1)
})
