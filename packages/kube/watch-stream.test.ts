import fc from 'fast-check'
import { expect, it, test } from 'vitest'
import { EVENT_BYTES_MAX } from './limits.ts'
import { readEvents } from './watch-stream.ts'

const added = (name: string) => ({ type: 'ADDED', object: { metadata: { name } } })
const line = (event: object) => `${JSON.stringify(event)}\n`

it('reads events, however the network cut them', async () => {
  const events = fc.array(fc.string({ unit: 'grapheme' }).map(added), { maxLength: 8 })
  const cuts = fc.array(fc.nat(400), { maxLength: 20 })
  await fc.assert(
    fc.asyncProperty(events, cuts, async (sent, places) => {
      const bytes = Buffer.from(sent.map(line).join(''))
      const ends = [...places, bytes.length].toSorted((a, b) => a - b)
      const chunks = ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end))
      expect(await read(chunks)).toEqual(sent)
    }),
  )
})

it('says what an ERROR event says', async () => {
  const status = { kind: 'Status', code: 410, reason: 'Expired', message: 'too old' }
  await expect(read([line({ type: 'ERROR', object: status })])).rejects.toMatchObject({
    code: 'gone',
    reason: 'Expired',
    message: 'too old',
  })
})

test.each([
  'no JSON',
  '{"type":"ADDED"}',
  '{"type":"BORN","object":{"metadata":{}}}',
  'null',
  '[]',
  '',
])('refuses a line that is no event: %s', async (text) => {
  await expect(read([`${text}\n`])).rejects.toMatchObject({ code: 'invalid', reason: 'NoEvent' })
})

it('gives up on a line without an end', async () => {
  const chunk = Buffer.alloc(1024 * 1024, 'x')
  const chunks = new Array<Buffer>(EVENT_BYTES_MAX / chunk.length + 1).fill(chunk)
  await expect(read(chunks)).rejects.toMatchObject({ code: 'invalid' })
})

async function read(chunks: readonly (string | Buffer)[]): Promise<unknown[]> {
  async function* arriving() {
    for (const chunk of chunks) yield Buffer.from(chunk)
  }
  return Array.fromAsync(readEvents(arriving()))
}
