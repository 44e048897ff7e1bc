/** Who may write which fields: status apart, and server-side apply. */
import type { ApiObject, ApiServer } from '@sipcast/kube'
import { describe, expect, it } from 'vitest'
import { configMapAt, createConfigMap, failure, freshName, group, widgets } from './skin.ts'

export function fieldsConform(api: () => ApiServer): void {
  describe('status apart', () => {
    const widget = (name: string, size: number) => ({
      apiVersion: `${group}/v1`,
      kind: 'Widget',
      metadata: { name },
      spec: { size },
      status: { seen: size },
    })
    const make = (name: string) => api().create(widgets, widget(name, 1))
    const statusOf = async (name: string) => (await api().get(`${widgets}/${name}`))?.['status']

    it('counts generations of the specification only', async () => {
      const name = freshName()
      const made = await make(name)
      expect(made.metadata.generation).toBe(1)
      const labelled = await api().patch(`${widgets}/${name}`, { metadata: { labels: { a: 'b' } } })
      expect(labelled.metadata.generation).toBe(1)
      const grown = await api().patch(`${widgets}/${name}`, { spec: { size: 2 } })
      expect(grown.metadata.generation).toBe(2)
      const seen = await api().patch(`${widgets}/${name}/status`, { status: { seen: 9 } })
      expect(seen.metadata.generation).toBe(2)
    })

    it('is written by its own path alone, and nothing else by that', async () => {
      const name = freshName()
      await make(name)
      expect(await statusOf(name)).toBeUndefined()
      await api().patch(`${widgets}/${name}`, { status: { seen: 5 } })
      expect(await statusOf(name)).toBeUndefined()
      const both = { spec: { size: 7 }, status: { seen: 6 } }
      expect(await api().patch(`${widgets}/${name}/status`, both)).toMatchObject({
        spec: { size: 1 },
        status: { seen: 6 },
      })
      const current = (await api().get(`${widgets}/${name}`)) as ApiObject
      expect(
        await api().replace(`${widgets}/${name}`, { ...current, status: { seen: 1 } }),
      ).toMatchObject({
        status: { seen: 6 },
      })
    })

    it('is applied by fields, each manager its own', async () => {
      const name = freshName()
      await make(name)
      const apply = (fieldManager: string, status: object) =>
        api().apply(
          `${widgets}/${name}/status`,
          { ...widget(name, 1), spec: undefined, status },
          { fieldManager },
        )
      await apply('a', { seen: 1, note: 'a' })
      await apply('b', { conditions: [{ type: 'B', status: 'True' }] })
      await apply('a', { seen: 2, conditions: [{ type: 'A', status: 'True' }] })
      expect(await statusOf(name)).toEqual({
        seen: 2,
        conditions: expect.arrayContaining([
          { type: 'A', status: 'True' },
          { type: 'B', status: 'True' },
        ]),
      })
      await apply('b', {})
      expect(await statusOf(name)).toEqual({ seen: 2, conditions: [{ type: 'A', status: 'True' }] })
    })

    it('cannot be applied to what is not there', async () => {
      const name = freshName()
      const refused = api().apply(`${widgets}/${name}/status`, widget(name, 1), {
        fieldManager: 'a',
      })
      expect(await failure(refused)).toMatchObject({ code: 'notFound' })
    })
  })

  describe('server-side apply', () => {
    const applied = (name: string, data: object) => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name },
      data,
    })

    it('makes, changes, and takes back what is no longer applied', async () => {
      const name = freshName()
      const apply = (data: object) =>
        api().apply(configMapAt(name), applied(name, data), { fieldManager: 'a' })
      expect(await apply({ a: '1', b: '1' })).toMatchObject({ data: { a: '1', b: '1' } })
      expect((await apply({ a: '2' }))['data']).toEqual({ a: '2' })
      const again = await apply({ a: '2' })
      expect((await apply({ a: '2' })).metadata.resourceVersion).toBe(
        again.metadata.resourceVersion,
      )
    })

    it('refuses what another manager wants otherwise, unless forced', async () => {
      const name = freshName()
      await api().apply(configMapAt(name), applied(name, { a: '1' }), { fieldManager: 'a' })
      const other = (force: boolean) =>
        api().apply(configMapAt(name), applied(name, { a: '2' }), { fieldManager: 'b', force })
      expect(await failure(other(false))).toMatchObject({ code: 'conflict' })
      expect((await other(true))['data']).toEqual({ a: '2' })
      await api().apply(configMapAt(name), applied(name, {}), { fieldManager: 'a' })
      expect((await api().get(configMapAt(name)))?.['data']).toEqual({ a: '2' })
    })

    it('does not take away what an update made', async () => {
      const name = freshName()
      await createConfigMap(api(), name, { mine: '1' })
      await api().apply(configMapAt(name), applied(name, { a: '1' }), { fieldManager: 'a' })
      const last = await api().apply(configMapAt(name), applied(name, {}), { fieldManager: 'a' })
      expect(last['data']).toEqual({ mine: '1' })
    })
  })
}
