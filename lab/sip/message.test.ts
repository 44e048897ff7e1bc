import { describe, expect, test } from 'vitest'
import {
  cseqOf,
  formatMessage,
  header,
  headerValues,
  parseMessage,
  prependHeader,
  setHeader,
  tagOf,
} from './message.ts'

const INVITE = [
  'INVITE sip:bob@example.com SIP/2.0',
  'v: SIP/2.0/UDP a.example;branch=z9hG4bK1, SIP/2.0/UDP b.example',
  'VIA: SIP/2.0/UDP c.example',
  'f: "Smith, A" <sip:alice@example.com>;tag=1',
  'To: <sip:bob@example.com>',
  'i: abc',
  'CSeq: 7 INVITE',
  'Subject: folded',
  ' over two lines',
  'Contact: "a,b" <sip:x@1.2.3.4;p=",">, <sip:y@1.2.3.4>',
  'Content-Length: 4',
  '',
  'body',
].join('\r\n')

describe('a message', () => {
  test('is read whatever the spelling of its headers', () => {
    const message = parseMessage(INVITE)
    expect(headerValues(message, 'via')).toHaveLength(3)
    expect(header(message, 'call-id')).toBe('abc')
    expect(header(message, 'subject')).toBe('folded over two lines')
    expect(headerValues(message, 'contact')).toEqual([
      '"a,b" <sip:x@1.2.3.4;p=",">',
      '<sip:y@1.2.3.4>',
    ])
    expect(cseqOf(message)).toEqual({ number: 7, method: 'INVITE' })
    expect(tagOf(message, 'from')).toBe('1')
    expect(tagOf(message, 'to')).toBeNull()
    expect(message.body).toBe('body')
  })

  test('survives being written and read again', () => {
    const once = formatMessage(parseMessage(INVITE))
    expect(formatMessage(parseMessage(once))).toBe(once)
    expect(once).toContain('\r\nCall-ID: abc\r\n')
    expect(once).toMatch(/\r\nContent-Length: 4\r\n\r\nbody$/)
  })

  test('takes new headers where they belong', () => {
    const message = parseMessage(INVITE)
    prependHeader(message, 'via', 'SIP/2.0/UDP first')
    prependHeader(message, 'record-route', '<sip:r>')
    setHeader(message, 'via', ...headerValues(message, 'via').slice(0, 2))
    setHeader(message, 'subject')
    expect(message.headers.slice(0, 3).map(({ name }) => name)).toEqual([
      'record-route',
      'via',
      'via',
    ])
    expect(headerValues(message, 'via')[0]).toBe('SIP/2.0/UDP first')
    expect(header(message, 'subject')).toBeNull()
  })

  test.each([
    '',
    'hello',
    'INVITE sip:x SIP/2.0\r\nnonsense\r\n\r\n',
    'OPTIONS sip:x SIP/2.0\r\nTo: y\r\n\r\n',
  ])('is refused if it is not SIP: %j', (text) => {
    expect(() => parseMessage(text)).toThrow(expect.objectContaining({ code: 'SIP_SYNTAX' }))
  })
})
