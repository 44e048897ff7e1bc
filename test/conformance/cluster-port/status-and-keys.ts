/** Status of SipProxies, keys, and what balancers report. */
import { expect, test, vi } from 'vitest'
import { KEY, reportOf, SPEC, statusOf, type Trial, WAIT } from './trial.ts'

export function statuses(trial: Trial): void {
  async function applied(): Promise<void> {
    await trial.hands.apply(KEY, SPEC)
    await trial.told({ what: 'sipProxy', key: KEY })
    trial.changes = []
  }

  test('there is none at first', async () => {
    await applied()
    expect(await trial.cluster.readStatus(KEY)).toBeNull()
  })

  test('a status comes back as written, at once and after a restart', async () => {
    await applied()
    const status = statusOf(['a', 'b'])
    await trial.cluster.writeStatus(KEY, status)
    expect(await trial.cluster.readStatus(KEY)).toEqual(status)
    await settled()
    await trial.restart()
    await vi.waitFor(async () => expect(await trial.cluster.readStatus(KEY)).toEqual(status), WAIT)
  })

  test('of many the last one is what stays, whole: no entry of an earlier one is left', async () => {
    await applied()
    const last = statusOf(['c'])
    await trial.cluster.writeStatus(KEY, statusOf(['a', 'b']))
    await settled()
    await trial.cluster.writeStatus(KEY, statusOf([]))
    await trial.cluster.writeStatus(KEY, last)
    await settled()
    await trial.restart()
    await vi.waitFor(async () => expect(await trial.cluster.readStatus(KEY)).toEqual(last), WAIT)
  })

  test('what we write is no news to us', async () => {
    await applied()
    await trial.cluster.writeStatus(KEY, statusOf(['a']))
    await trial.cluster.writeStatus(KEY, statusOf(['a', 'b']))
    await settled()
    expect(trial.changes.filter(({ what }) => what !== 'recovery')).toEqual([])
  })
}

export function keys(trial: Trial): void {
  test('there are none at first', async () => {
    expect(await trial.cluster.readKeys()).toBeNull()
  })

  test('keys come back as written, and only over the version that is named', async () => {
    const { cluster } = trial
    const version = await cluster.writeKeys('{"keys":[]}\n', null)
    expect(await cluster.readKeys()).toEqual({ text: '{"keys":[]}\n', version })
    await expect(cluster.writeKeys('{}', null)).rejects.toMatchObject({ code: 'conflict' })
    await cluster.writeKeys('{}', version)
    await trial.restart()
    expect((await trial.cluster.readKeys())?.text).toBe('{}')
  })

  test.each([['{"keys":["theirs"]}'], [null]])('%s in their place is told', async (text) => {
    await trial.cluster.writeKeys('{}', null)
    await trial.hands.meddleWithKeys(text)
    await trial.told({ what: 'keys' })
    await vi.waitFor(
      async () => expect((await trial.cluster.readKeys())?.text ?? null).toBe(text),
      WAIT,
    )
  })
}

export function reports(trial: Trial): void {
  test('a report is told and read, and the next one', async () => {
    for (const version of ['1', '2']) {
      trial.changes = []
      await trial.hands.report('node-1', reportOf(version))
      await trial.told({ what: 'balancer', name: 'node-1' })
      expect(trial.cluster.balancer('node-1')?.status.version).toBe(version)
    }
    expect(trial.cluster.balancers().map(({ name }) => name)).toEqual(['node-1'])
  })

  test('one that cannot be read leaves the last good one', async () => {
    await trial.hands.report('node-1', reportOf('1'))
    await trial.told({ what: 'balancer', name: 'node-1' })
    await trial.hands.report('node-1', { heartbeatAt: 'now' })
    await settled()
    expect(trial.cluster.balancer('node-1')?.status.version).toBe('1')
  })

  test('a balancer that is gone is told', async () => {
    await trial.hands.report('node-1', reportOf('1'))
    await trial.told({ what: 'balancer', name: 'node-1' })
    trial.changes = []
    await trial.hands.report('node-1', null)
    await trial.told({ what: 'balancer', name: 'node-1' })
    expect(trial.cluster.balancer('node-1')).toBeNull()
  })
}

async function settled(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 300))
}
