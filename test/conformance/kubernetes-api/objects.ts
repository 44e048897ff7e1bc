/** One object: made, replaced by compare-and-set, patched, deleted. */
import { type ApiObject, type ApiServer, paths } from '@sipcast/kube'
import { describe, expect, it } from 'vitest'
import { configMapAt, createConfigMap, failure, freshName, namespace } from './skin.ts'

export function objectsConform(api: () => ApiServer): void {
  describe('objects', () => {
    it('gives a new object uid, version, time and kind', async () => {
      const name = freshName()
      const made = await createConfigMap(api(), name, { a: '1' })
      expect(made).toMatchObject({
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name, namespace, uid: expect.any(String), resourceVersion: expect.any(String) },
        data: { a: '1' },
      })
      expect(made.metadata.creationTimestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
      expect(await api().get(configMapAt(name))).toEqual(made)
    })

    it('answers null for what is not there, and refuses to make what is', async () => {
      const name = freshName()
      expect(await api().get(configMapAt(name))).toBeNull()
      await createConfigMap(api(), name)
      expect(await failure(createConfigMap(api(), name))).toMatchObject({
        code: 'exists',
        status: 409,
      })
    })

    it('completes a name that is only begun', async () => {
      const made = await api().create(paths.configMaps(namespace), {
        metadata: { generateName: 'begun-' } as unknown as ApiObject['metadata'],
      })
      expect(made.metadata.name).toMatch(/^begun-.{5}$/)
    })

    it('replaces by compare-and-set; without a version, unconditionally', async () => {
      const name = freshName()
      const made = await createConfigMap(api(), name, { a: '1' })
      const second = await api().replace(configMapAt(name), { ...made, data: { a: '2' } })
      expect(second.metadata.resourceVersion).not.toBe(made.metadata.resourceVersion)
      expect(
        await failure(api().replace(configMapAt(name), { ...made, data: { a: '3' } })),
      ).toMatchObject({
        code: 'conflict',
        reason: 'Conflict',
        isTransient: false,
      })
      const third = await api().replace(configMapAt(name), { metadata: { name }, data: { b: '1' } })
      expect(third['data']).toEqual({ b: '1' })
      expect(third.metadata.uid).toBe(made.metadata.uid)
    })

    it('keeps the version of an object that a write does not change', async () => {
      const name = freshName()
      const made = await createConfigMap(api(), name, { a: '1' })
      const same = await api().replace(configMapAt(name), made)
      expect(same.metadata.resourceVersion).toBe(made.metadata.resourceVersion)
      const patched = await api().patch(configMapAt(name), { data: { a: '1' } })
      expect(patched.metadata.resourceVersion).toBe(made.metadata.resourceVersion)
    })

    it('refuses to replace what is not there, and what is named otherwise', async () => {
      const name = freshName()
      expect(await failure(api().replace(configMapAt(name), { metadata: { name } }))).toMatchObject(
        {
          code: 'notFound',
        },
      )
      await createConfigMap(api(), name)
      expect(
        await failure(api().replace(configMapAt(name), { metadata: { name: 'other' } })),
      ).toMatchObject({
        code: 'invalid',
      })
    })

    it('merges a patch and drops its nulls', async () => {
      const name = freshName()
      await createConfigMap(api(), name, { a: '1', b: '2' })
      const patched = await api().patch(configMapAt(name), { data: { a: null, c: '3' } })
      expect(patched['data']).toEqual({ b: '2', c: '3' })
    })

    it('compares a patch that states a version', async () => {
      const name = freshName()
      const made = await createConfigMap(api(), name)
      await api().patch(configMapAt(name), { data: { a: '1' } })
      const { resourceVersion } = made.metadata
      const late = api().patch(configMapAt(name), {
        metadata: { resourceVersion },
        data: { a: '2' },
      })
      expect(await failure(late)).toMatchObject({ code: 'conflict' })
    })

    it('deletes once, and only the object meant', async () => {
      const name = freshName()
      const made = await createConfigMap(api(), name)
      expect(await failure(api().delete(configMapAt(name), { uid: 'another' }))).toMatchObject({
        code: 'conflict',
      })
      expect(
        await failure(api().delete(configMapAt(name), { resourceVersion: '1' })),
      ).toMatchObject({
        code: 'conflict',
      })
      const { uid = '', resourceVersion = '' } = made.metadata
      expect(await api().delete(configMapAt(name), { uid, resourceVersion })).toBe(true)
      expect(await api().delete(configMapAt(name))).toBe(false)
    })

    it('keeps a deleted object until its finalizers are gone', async () => {
      const name = freshName()
      const metadata = { name, finalizers: ['sipcast.io/conformance'] }
      await api().create(paths.configMaps(namespace), { metadata })
      await api().delete(configMapAt(name))
      expect((await api().get(configMapAt(name)))?.metadata.deletionTimestamp).toEqual(
        expect.any(String),
      )
      await api().patch(configMapAt(name), { metadata: { finalizers: null } })
      expect(await api().get(configMapAt(name))).toBeNull()
    })

    it('refuses an object that is too large', async () => {
      const refused = createConfigMap(api(), freshName(), { a: 'x'.repeat(3_200_000) })
      expect(['tooLarge', 'invalid']).toContain((await failure(refused)).code)
    })

    it('knows no kind it was not told of', async () => {
      expect(await failure(api().list('/apis/nobody.sipcast.io/v1/things'))).toMatchObject({
        code: 'notFound',
      })
    })

    it('keeps a lease with its times as written', async () => {
      const name = freshName()
      const spec = {
        holderIdentity: 'me',
        leaseDurationSeconds: 15,
        leaseTransitions: 3,
        renewTime: '2026-11-23T12:00:00.123000Z',
      }
      const made = await api().create(paths.leases(namespace), { metadata: { name }, spec })
      expect(made['spec']).toEqual({ ...spec, renewTime: '2026-11-23T12:00:00.123000Z' })
      expect(await api().get(paths.lease(namespace, name))).toEqual(made)
    })
  })
}
