import { expect, test } from 'vitest'
import { type Opinion, Readiness } from './readiness.ts'

const UP: Opinion = { isUp: true, reason: 'Answers', endpoint: '192.0.2.1:5060' }
const DOWN: Opinion = { isUp: false, reason: 'NoAnswer', endpoint: '192.0.2.1:5060' }
const POD = 'default/registrar-0'
const says = (opinion: Opinion | null) => new Map([[POD, opinion]])

test('a pod that nobody knows anything of is left alone', () => {
  expect(new Readiness().of(POD)).toBeNull()
})

test('a pod in several SipProxies answers when it answers for all', () => {
  const readiness = new Readiness()
  readiness.set('default/b', says(UP))
  readiness.set('default/a', says(UP))
  expect(readiness.of(POD)).toEqual({
    status: 'True',
    reason: 'Answers',
    message: 'Answers OPTIONS for SipProxy default/a, SipProxy default/b.',
  })
  expect(readiness.set('default/a', says(DOWN))).toEqual(['default/b'])
  expect(readiness.of(POD)).toEqual({
    status: 'False',
    reason: 'NoAnswer',
    message: 'SipProxy default/a: no answer to OPTIONS at 192.0.2.1:5060.',
  })
})

test('one against it is enough; for it must be all, also those that know nothing yet', () => {
  const readiness = new Readiness()
  readiness.set('default/a', says(UP))
  readiness.set('default/b', says(null))
  expect(readiness.of(POD)).toBeNull()
  expect(readiness.set('default/b', says(UP))).toEqual(['default/a'])
  expect(readiness.of(POD)?.status).toBe('True')
  readiness.set('default/b', says(null))
  readiness.set('default/a', says(DOWN))
  expect(readiness.of(POD)?.status).toBe('False')
})

test('a SipProxy that no longer has the pod has no say; the others hear of it', () => {
  const readiness = new Readiness()
  readiness.set('default/a', says(DOWN))
  readiness.set('default/b', says(UP))
  expect(readiness.delete('default/a')).toEqual(['default/b'])
  expect(readiness.of(POD)?.status).toBe('True')
  expect(readiness.isAnybodys(POD)).toBe(true)
  expect(readiness.set('default/b', new Map())).toEqual([])
  expect(readiness.of(POD)).toBeNull()
  expect(readiness.isAnybodys(POD)).toBe(false)
})

test('the same again is no news to others', () => {
  const readiness = new Readiness()
  readiness.set('default/a', says(UP))
  expect(readiness.set('default/b', says(UP))).toEqual(['default/a'])
  expect(readiness.set('default/b', says(UP))).toEqual([])
})
