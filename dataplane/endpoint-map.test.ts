import { ENDPOINT_WORDS } from '@sipcast/sip'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { EndpointMap, NOT_FOUND } from './endpoint-map.ts'

/** Few distinct words, so that endpoints share address parts and probe sequences. */
const endpoint = fc.tuple(
  fc.constantFrom(0, 1),
  fc.constantFrom(0, -1),
  fc.constantFrom(0xffff, 7),
  fc.integer({ min: 0, max: 40 }),
  fc.constantFrom(0, 5060, 5061),
)

it('finds what was put and nothing else, the first value winning, like a Map of strings', () => {
  fc.assert(
    fc.property(fc.array(endpoint, { maxLength: 60 }), fc.array(endpoint), (puts, probes) => {
      const map = new EndpointMap(puts.length)
      const twin = new Map<string, number>()
      puts.forEach((words, value) => {
        map.put(Int32Array.from(words), 0, words[4], value)
        if (!twin.has(words.join())) twin.set(words.join(), value)
      })
      for (const words of [...puts, ...probes]) {
        const expected = twin.get(words.join()) ?? NOT_FOUND
        expect(map.get(Int32Array.from([9, ...words]), 1, words[4])).toBe(expected)
      }
    }),
  )
})

it('ends on an empty map', () => {
  expect(new EndpointMap(0).get(new Int32Array(ENDPOINT_WORDS), 0, 5060)).toBe(NOT_FOUND)
})
