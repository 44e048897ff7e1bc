import { expect, it } from 'vitest'
import type { ApiObject } from './api-object.ts'
import { KeptObjects, type Listing } from './kept-objects.ts'

const object = (name: string, resourceVersion: string, value: string): ApiObject => ({
  metadata: { name, uid: `uid of ${name}`, resourceVersion },
  value,
})

function kept() {
  const changes: [string, string | null, string | null][] = []
  const objects = new KeptObjects({
    take: (each) => each['value'] as string,
    onChange: (...change) => void changes.push(change),
    onDefect: (error) => {
      throw error
    },
  })
  const list = (...all: ApiObject[]) => {
    const listing: Listing<string> = new Map()
    for (const each of all) objects.collect(listing, each)
    objects.replaceAll(listing)
  }
  return { objects, changes, list }
}

it('tells what a list changed, and nothing of what it left', () => {
  const { changes, list, objects } = kept()
  list(object('a', '1', 'x'), object('b', '2', 'y'))
  changes.length = 0
  list(object('b', '2', 'y'), object('a', '5', 'z'), object('c', '4', 'w'))
  expect(changes).toEqual([
    ['a', 'z', 'x'],
    ['c', 'w', null],
  ])
  changes.length = 0
  list(object('c', '4', 'w'))
  expect(changes).toEqual([
    ['b', null, 'y'],
    ['a', null, 'z'],
  ])
  expect([...objects.entries()]).toEqual([['c', 'w']])
})

it('ignores what is older than what it has, or the same', () => {
  const { changes, list, objects } = kept()
  list(object('a', '10', 'new'))
  changes.length = 0
  objects.put(object('a', '9', 'old'))
  objects.put(object('a', '10', 'new'))
  objects.remove(object('a', '9', 'old'))
  objects.remove(object('never seen', '11', ''))
  expect(changes).toEqual([])
  expect(objects.get('a')).toBe('new')
  objects.remove(object('a', '12', 'new'))
  expect(changes).toEqual([['a', null, 'new']])
})

it('takes versions that are no numbers as they come', () => {
  const { list, objects } = kept()
  list(object('a', 'zzz', '1'))
  objects.put(object('a', 'aaa', '2'))
  expect(objects.get('a')).toBe('2')
})

it('shows the whole new list to whoever is told of its first change', () => {
  const seen: number[] = []
  const objects: KeptObjects<string> = new KeptObjects({
    take: (each) => each['value'] as string,
    onChange: () => void seen.push([...objects.entries()].length),
    onDefect: () => {},
  })
  const listing: Listing<string> = new Map()
  for (const name of ['a', 'b', 'c']) objects.collect(listing, object(name, '1', name))
  objects.replaceAll(listing)
  expect(seen).toEqual([3, 3, 3])
})

it('takes nothing for gone because of a defect in what is made of it', () => {
  const changes: string[] = []
  let isBroken = false
  const objects = new KeptObjects({
    take: (each) => {
      if (isBroken) throw new Error('a defect')
      return each['value'] as string
    },
    onChange: (id, value) => void changes.push(`${id} ${value}`),
    onDefect: () => {},
  })
  objects.put(object('a', '1', 'x'))
  isBroken = true
  const listing: Listing<string> = new Map()
  objects.collect(listing, object('a', '2', 'y'))
  objects.replaceAll(listing)
  expect(changes).toEqual(['a x'])
  expect(objects.get('a')).toBe('x')
})
