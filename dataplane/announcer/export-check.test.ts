import { expect, it } from 'vitest'
import { ExportCheck } from './export-check.ts'
import { EXPORT_PATIENCE_MS } from './limits.ts'
import { A, B } from './node.fixture.ts'

const BOTH = new Set([A, B])

const rows: readonly [string, ReadonlySet<string>, number, number, RegExp | null][] = [
  ['all', BOTH, 1, 1, null],
  ['nothing', new Set(), 0, 0, null],
  ['more than there is, for a moment', new Set([A]), 1, 1, null],
  ['no IPv6', BOTH, 1, 0, /^no router is told of more than 0 of 1 IPv6 addresses$/],
  ['nothing of two', BOTH, 0, 0, /0 of 1 IPv4 addresses, nor of more than 0 of 1 IPv6/],
]

it.each(rows)('routers are told of %s', (_, announced, ipv4, ipv6, expected) => {
  const check = new ExportCheck()
  const routers = { hasSession: true, exported: { ipv4, ipv6 } }
  expect(check.look(announced, routers, 0)).toBeNull()
  expect(check.look(announced, routers, EXPORT_PATIENCE_MS - 1)).toBeNull()
  const found = check.look(announced, routers, EXPORT_PATIENCE_MS)
  if (expected === null) expect(found).toBeNull()
  else
    expect(found).toMatchObject({ reason: 'NotExported', message: expect.stringMatching(expected) })
})

it('it has to last, and is of sessions that are up', () => {
  const check = new ExportCheck()
  const less = { hasSession: true, exported: { ipv4: 1, ipv6: 0 } }
  check.look(BOTH, less, 0)
  expect(check.look(BOTH, { ...less, hasSession: false }, EXPORT_PATIENCE_MS)).toBeNull()
  expect(check.look(BOTH, less, EXPORT_PATIENCE_MS + 1)).toBeNull()
  expect(check.look(BOTH, less, 2 * EXPORT_PATIENCE_MS + 1)).not.toBeNull()
})
