/** Every row of every torture table: what the scan says and finds. */
import { describe, expect, test } from 'vitest'
import { Defect, Scan } from '../message.ts'
import { accepted } from './accepted.fixture.ts'
import { fieldsOf, nameOf, read } from './reading.fixture.ts'
import { refused } from './refused.fixture.ts'
import { rfc4475 } from './rfc4475.fixture.ts'
import { rfc5118 } from './rfc5118.fixture.ts'

describe.each(Object.entries({ rfc4475, rfc5118, accepted, refused }))('%s', (_, rows) => {
  test.each(rows)('$says', (row) => {
    const { result, message } = read(row.datagram)
    expect({
      result: nameOf(Scan, result),
      defect: nameOf(Defect, message.defect),
    }).toEqual({ result: row.result, defect: row.defect ?? 'none' })
    expect(fieldsOf(message)).toMatchObject(row.fields ?? {})
  })
})
