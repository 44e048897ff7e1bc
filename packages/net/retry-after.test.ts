import { Message, Scan, scan } from '@sipcast/sip'
import { expect, it } from 'vitest'
import { retryAfterSeconds } from './retry-after.ts'

it.each([
  ['Retry-After: 120', 120],
  ['retry-AFTER \t:\t18000;duration=3600', 18000],
  ['Retry-After:5 (in a meeting)', 5],
  ['Retry-After: 0', 0],
  ['Retry-After: 99999999999999', 999999999],
  ['Retry-After: soon', null],
  ['Retry-After:', null],
  ['X-Retry-After: 5', null],
  ['Subject: Retry-After: 5', null],
  ['Subject: none', null],
])('%s is %s seconds', (line, seconds) => {
  expect(retryAfterSeconds(scanned(`${line}\r\n`, ''))).toBe(seconds)
})

it('looks at headers only', () => {
  expect(retryAfterSeconds(scanned('', 'Retry-After: 5\r\n'))).toBe(null)
})

function scanned(lines: string, body: string): Message {
  const message = new Message()
  const bytes = Buffer.from(
    `SIP/2.0 503 Later\r\nVia: SIP/2.0/UDP a;branch=z9hG4bKx\r\nFrom: <sip:a>;tag=1\r\n` +
      `To: <sip:b>;tag=2\r\nCall-ID: c\r\nCSeq: 1 OPTIONS\r\n${lines}\r\n${body}`,
  )
  expect(scan(message, bytes, 0, bytes.length)).toBe(Scan.response)
  return message
}
