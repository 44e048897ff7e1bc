/** Tables: compare-and-set, and other hands on them. */
import { expect, test, vi } from 'vitest'
import { KEY, type Trial, WAIT } from './trial.ts'

export function tables(trial: Trial): void {
  test('there is none at first', async () => {
    expect(await trial.cluster.readTable(KEY)).toBeNull()
  })

  test('a table comes back as written, under the version that writing it gave', async () => {
    const text = '{"epoch":1,"name":"ü"}\n'
    const version = await trial.cluster.writeTable(KEY, text, null)
    expect(await trial.cluster.readTable(KEY)).toEqual({ text, version })
  })

  test('it is written only over the version that is named', async () => {
    const { cluster } = trial
    const first = await cluster.writeTable(KEY, 'one', null)
    await expect(cluster.writeTable(KEY, 'two', null)).rejects.toMatchObject({ code: 'conflict' })
    const second = await cluster.writeTable(KEY, 'two', first)
    await expect(cluster.writeTable(KEY, 'three', first)).rejects.toMatchObject({
      name: 'StoreError',
      code: 'conflict',
    })
    expect(await cluster.readTable(KEY)).toEqual({ text: 'two', version: second })
  })

  test('what we write is no news to us', async () => {
    const first = await trial.cluster.writeTable(KEY, 'one', null)
    await trial.cluster.writeTable(KEY, 'two', first)
    await settled()
    expect(trial.changes).toEqual([])
  })

  test('a foreign hand is told and read, and our next write must know of it', async () => {
    const { cluster } = trial
    const ours = await cluster.writeTable(KEY, 'ours', null)
    await trial.hands.meddleWithTable(KEY, 'theirs')
    await trial.told({ what: 'table', key: KEY })
    const found = await cluster.readTable(KEY)
    expect(found?.text).toBe('theirs')
    await expect(cluster.writeTable(KEY, 'again', ours)).rejects.toMatchObject({ code: 'conflict' })
    const { version } = (await cluster.readTable(KEY)) ?? { version: '' }
    await cluster.writeTable(KEY, 'again', version)
    expect((await cluster.readTable(KEY))?.text).toBe('again')
  })

  test('a table that somebody removed is told, and can be made again', async () => {
    const { cluster } = trial
    await cluster.writeTable(KEY, 'one', null)
    await trial.hands.meddleWithTable(KEY, null)
    await trial.told({ what: 'table', key: KEY })
    await vi.waitFor(async () => expect(await cluster.readTable(KEY)).toBeNull(), WAIT)
    await cluster.writeTable(KEY, 'two', null)
    expect((await cluster.readTable(KEY))?.text).toBe('two')
  })

  test('a conflict is settled by reading again, even before the news of it has come', async () => {
    const { cluster } = trial
    const version = await cluster.writeTable(KEY, 'one', null)
    await trial.hands.meddleWithTable(KEY, 'theirs')
    await expect(cluster.writeTable(KEY, 'two', version)).rejects.toMatchObject({
      code: 'conflict',
    })
    const found = await cluster.readTable(KEY)
    expect(found?.text).toBe('theirs')
    await cluster.writeTable(KEY, 'two', found?.version ?? null)
  })

  test('deleted, it is gone; deleting what is gone does nothing', async () => {
    const { cluster } = trial
    await cluster.writeTable(KEY, 'one', null)
    await cluster.deleteTable(KEY)
    expect(await cluster.readTable(KEY)).toBeNull()
    await cluster.deleteTable(KEY)
    await cluster.writeTable(KEY, 'two', null)
    expect((await cluster.readTable(KEY))?.text).toBe('two')
  })

  test('a table without its SipProxy is among the keys, after a restart too', async () => {
    await trial.cluster.writeTable(KEY, 'left over', null)
    await trial.restart()
    await vi.waitFor(() => expect(trial.cluster.keys()).toContain(KEY), WAIT)
    await vi.waitFor(() => expect(trial.cluster.sighting(KEY).kind).toBe('absent'), WAIT)
  })

  test('half a megabyte is a table', async () => {
    const text = `{"owners":"${'A'.repeat(500_000)}"}`
    await trial.cluster.writeTable(KEY, text, null)
    await trial.restart()
    expect((await trial.cluster.readTable(KEY))?.text).toBe(text)
  })
}

/** Long enough for news of our own writes, had there been any. */
async function settled(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 300))
}
