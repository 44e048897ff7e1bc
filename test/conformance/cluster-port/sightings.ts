/** What is to be seen of SipProxies. */
import { expect, test, vi } from 'vitest'
import { KEY, SPEC, type Trial, WAIT } from './trial.ts'

export function sightings(trial: Trial): void {
  test('what nobody has applied is absent', async () => {
    await vi.waitFor(() => expect(trial.cluster.sighting(KEY).kind).toBe('absent'), WAIT)
    expect(trial.cluster.keys().has(KEY)).toBe(false)
  })

  test('what is applied is present, with its spec, and that is told', async () => {
    await trial.hands.apply(KEY, SPEC)
    await trial.told({ what: 'sipProxy', key: KEY })
    expect(trial.cluster.sighting(KEY)).toMatchObject({ kind: 'present', object: { spec: SPEC } })
    expect(trial.cluster.keys()).toContain(KEY)
  })

  test('a changed spec is told', async () => {
    await trial.hands.apply(KEY, SPEC)
    await trial.told({ what: 'sipProxy', key: KEY })
    trial.changes = []
    await trial.hands.apply(KEY, { ...SPEC, port: 5070 })
    await trial.told({ what: 'sipProxy', key: KEY })
    expect(trial.cluster.sighting(KEY)).toMatchObject({ object: { spec: { port: 5070 } } })
  })

  test('the same object is looked at once: it stays the same while nothing changes', async () => {
    await trial.hands.apply(KEY, SPEC)
    await trial.told({ what: 'sipProxy', key: KEY })
    const [first, second] = [trial.cluster.sighting(KEY), trial.cluster.sighting(KEY)]
    expect(first.kind === 'present' && second.kind === 'present').toBe(true)
    if (first.kind === 'present' && second.kind === 'present') {
      expect(first.object).toBe(second.object)
    }
  })

  test('what is removed is absent, and that is told', async () => {
    await trial.hands.apply(KEY, SPEC)
    await trial.told({ what: 'sipProxy', key: KEY })
    trial.changes = []
    await trial.hands.remove(KEY)
    await vi.waitFor(() => expect(trial.cluster.sighting(KEY).kind).toBe('absent'), WAIT)
    await trial.told({ what: 'sipProxy', key: KEY })
  })

  test('names with dots keep their place', async () => {
    const key = 'voice/sip.example.com'
    await trial.hands.apply(key, SPEC)
    await trial.told({ what: 'sipProxy', key })
    await trial.cluster.writeTable(key, '{}', null)
    await trial.restart()
    await vi.waitFor(() => expect(trial.cluster.keys()).toContain(key), WAIT)
    expect((await trial.cluster.readTable(key))?.text).toBe('{}')
  })
}
