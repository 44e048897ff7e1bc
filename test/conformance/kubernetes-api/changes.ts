/** Many objects: lists in pages, watches, and the list-and-watch over both. */
import { type ApiServer, ListWatch, paths, type WatchEvent } from '@sipcast/kube'
import { systemClock } from '@sipcast/net'
import { describe, expect, it } from 'vitest'
import { configMapAt, createConfigMap, failure, freshName, namespace } from './skin.ts'

export function changesConform(api: () => ApiServer): void {
  describe('lists', () => {
    it('come in pages that show one moment', async () => {
      const mark = freshName()
      for (let i = 0; i < 5; i++) await createConfigMap(api(), `${mark}-${i}`, {}, { mark })
      const query = { labelSelector: `mark=${mark}`, limit: 2 }
      const names: string[] = []
      const versions = new Set<string>()
      for await (const page of api().pages(paths.configMaps(namespace), query)) {
        expect(page.items.length).toBeLessThanOrEqual(2)
        names.push(...page.items.map(({ metadata }) => metadata.name))
        versions.add(page.resourceVersion)
        if (names.length === 2) await api().delete(configMapAt(`${mark}-4`))
      }
      expect(names).toEqual([0, 1, 2, 3, 4].map((i) => `${mark}-${i}`))
      expect(versions.size).toBe(1)
    })

    it('give items their kind', async () => {
      const name = freshName()
      await createConfigMap(api(), name)
      const query = { fieldSelector: `metadata.name=${name}` }
      const { items } = await api().list(paths.configMaps(namespace), query)
      expect(items).toMatchObject([{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } }])
    })

    it.each([
      ['a=1', ['x', 'y']],
      ['a==1,b=2', ['y']],
      ['b', ['y', 'z']],
      ['!b', ['x']],
      ['a!=1', ['z']],
      ['a in (1,3)', ['x', 'y']],
      ['a notin (1)', ['z']],
    ])('select by label: %s', async (selector, expected) => {
      const mark = freshName()
      await createConfigMap(api(), `${mark}-x`, {}, { mark, a: '1' })
      await createConfigMap(api(), `${mark}-y`, {}, { mark, a: '1', b: '2' })
      await createConfigMap(api(), `${mark}-z`, {}, { mark, b: '2' })
      const query = { labelSelector: `mark=${mark},${selector}` }
      const { items } = await api().list(paths.configMaps(namespace), query)
      expect(items.map(({ metadata }) => metadata.name)).toEqual(
        expected.map((each) => `${mark}-${each}`),
      )
    })

    it('are empty where there is nothing', async () => {
      const { items, resourceVersion } = await api().list(paths.leases('nobody-is-here'))
      expect(items).toEqual([])
      expect(resourceVersion).toMatch(/^\d+$/)
    })
  })

  describe('watches', () => {
    it('tell what happened since a version, in order', async () => {
      const mark = freshName()
      const { resourceVersion } = await api().list(paths.configMaps(namespace))
      const made = await createConfigMap(api(), mark, { a: '1' }, { mark })
      const changed = await api().patch(configMapAt(mark), { data: { a: '2' } })
      await api().delete(configMapAt(mark))
      const events = await watch({ resourceVersion, labelSelector: `mark=${mark}` }, 3)
      expect(events.map(({ type }) => type)).toEqual(['ADDED', 'MODIFIED', 'DELETED'])
      expect(events[0]?.object).toEqual(made)
      expect(events[1]?.object).toEqual(changed)
      const deletedAt = Number(events[2]?.object.metadata.resourceVersion)
      expect(deletedAt).toBeGreaterThan(Number(changed.metadata.resourceVersion))
      expect(events[2]?.object).toMatchObject({ kind: 'ConfigMap', data: { a: '2' } })
    })

    it('add what comes into the selection and delete what leaves it', async () => {
      const mark = freshName()
      const { resourceVersion } = await createConfigMap(api(), mark, {}, { mark: 'no' }).then(
        ({ metadata }) => metadata,
      )
      await api().patch(configMapAt(mark), { metadata: { labels: { mark } } })
      await api().patch(configMapAt(mark), { metadata: { labels: { mark: 'no' } } })
      const events = await watch({ resourceVersion, labelSelector: `mark=${mark}` }, 2)
      expect(events.map(({ type }) => type)).toEqual(['ADDED', 'DELETED'])
    })

    it('begin with all there is where no version is given', async () => {
      const mark = freshName()
      await createConfigMap(api(), mark, {}, { mark })
      const [first] = await watch({ labelSelector: `mark=${mark}` }, 1)
      expect(first).toMatchObject({ type: 'ADDED', object: { metadata: { name: mark } } })
    })

    it('select by name', async () => {
      const name = freshName()
      const { resourceVersion } = await api().list(paths.configMaps(namespace))
      await createConfigMap(api(), freshName())
      await createConfigMap(api(), name)
      const [first] = await watch({ resourceVersion, fieldSelector: `metadata.name=${name}` }, 1)
      expect(first?.object.metadata.name).toBe(name)
    })

    it('end by themselves when their time is over', async () => {
      const { resourceVersion } = await api().list(paths.configMaps(namespace))
      const query = { resourceVersion, timeoutSeconds: 1, labelSelector: 'mark=never' }
      const startMs = performance.now()
      expect(await watch(query, Number.POSITIVE_INFINITY)).toEqual([])
      expect(performance.now() - startMs).toBeLessThan(5_000)
    })

    it('refuse a version of the future or past as gone, or say nothing', async () => {
      const signal = AbortSignal.timeout(1_000)
      const events = api().watch(paths.configMaps(namespace), { resourceVersion: '1' }, signal)
      const outcome = await failure(Array.fromAsync(events))
      expect(['gone', 'unavailable']).toContain(outcome.code)
    })
  })

  it('is followed by a list-and-watch', async () => {
    const mark = freshName()
    await createConfigMap(api(), `${mark}-a`, { a: '1' }, { mark })
    const changes: unknown[] = []
    const following = new ListWatch({
      api: api(),
      path: paths.configMaps(namespace),
      labelSelector: `mark=${mark}`,
      take: (object) => (object['data'] as { a: string }).a,
      onChange: (id, value, last) => void changes.push([id.split('-').at(-1), value, last]),
      clock: systemClock,
      random: Math.random,
    })
    following.start()
    await following.synced()
    await createConfigMap(api(), `${mark}-b`, { a: '2' }, { mark })
    await api().patch(configMapAt(`${mark}-a`), { data: { a: '3' } })
    await api().delete(configMapAt(`${mark}-b`))
    await expect
      .poll(() => changes)
      .toEqual([
        ['a', '1', null],
        ['b', '2', null],
        ['a', '3', '1'],
        ['b', null, '2'],
      ])
    expect([...following.entries()]).toEqual([[`${namespace}/${mark}-a`, '3']])
    following.stop()
  })

  async function watch(
    query: Record<string, string | number | boolean | undefined>,
    count: number,
  ): Promise<WatchEvent[]> {
    const ending = new AbortController()
    const events: WatchEvent[] = []
    for await (const event of api().watch(paths.configMaps(namespace), query, ending.signal)) {
      events.push(event)
      if (events.length === count) break
    }
    return events
  }
}
