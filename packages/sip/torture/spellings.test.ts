/** A valid message in any spelling, and what the scan must find in it. */
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { Message, Scan } from '../message.ts'
import { Random } from './random.fixture.ts'
import { type Fields, fieldsOf, read } from './reading.fixture.ts'
import { spell } from './spellings.fixture.ts'

const message = new Message()

test('a valid message is understood in every spelling', () => {
  fc.assert(
    fc.property(fc.integer(), (seed) => {
      const { datagram, fields } = spell(new Random(seed))
      const { result } = read(datagram, message)
      expect({ datagram, result, defect: message.defect }).toEqual({
        datagram,
        result: fields.method === null ? Scan.response : Scan.request,
        defect: 0,
      })
      expect(withoutSpelling(fieldsOf(message))).toEqual(withoutSpelling(fields))
    }),
    { numRuns: 3000 },
  )
})

/** The fields without those that show how the message was spelt, where that differs from what it says. */
function withoutSpelling(fields: Fields): unknown {
  const { via, routes } = fields
  return {
    ...fields,
    from: null,
    to: null,
    via: {
      ...via,
      value: null,
      hasMore: null,
      rport: via.rport === null ? null : 'rport',
      received: via.received
        ?.replace(/[\s;]/g, '')
        .replace(/^received=/i, '')
        .toLowerCase(),
    },
    routes: routes.map(({ uri, loose }) => ({ uri, loose })),
  }
}
