import { describe, expect, it } from 'vitest'
import {
  Balancer,
  headers,
  INSIDE6,
  PHONE,
  REGISTRARS,
  request,
  SHARED,
  table,
  userOf,
} from './forward.fixture.ts'

const someUser = userOf(0)

describe('Path and Record-Route', () => {
  it('REGISTER gets Supported: path and a Path as its first header line', () => {
    const { out } = new Balancer().deliver(
      PHONE,
      SHARED,
      request('REGISTER', { uri: 'sip:example.com', to: `<sip:${someUser}@example.com>` }),
    )
    expect(out!.split('\r\n')[1]).toMatch(/^Path: <sip:[\w-]{35}@203\.0\.113\.10:5060;lr>$/)
    expect(headers(out, 'Supported')).toEqual(['path'])
  })

  it('Supported: path is not said twice, ob where the phone asked for outbound', () => {
    const asked = request('REGISTER', {
      uri: 'sip:example.com',
      headers: [
        'Supported: path, outbound',
        'Contact: <sip:alice@192.168.1.5>;reg-id=1;+sip.instance="<urn:uuid:1>"',
      ],
    })
    const { out } = new Balancer().deliver(PHONE, SHARED, asked)
    expect(headers(out, 'Supported')).toEqual(['path, outbound'])
    expect(headers(out, 'Path')[0]).toMatch(/;lr;ob>$/)
  })

  it('names our address of the proxy’s IP version in Path', () => {
    const to = `<sip:${userOf(2)}@example.com>`
    const { out, target, source } = new Balancer().deliver(
      PHONE,
      SHARED,
      request('REGISTER', { uri: 'sip:example.com', to }),
    )
    expect([target, source]).toEqual([REGISTRARS[2], INSIDE6])
    expect(headers(out, 'Path')[0]).toMatch(/@\[2001:db8::10\]:5060;lr>$/)
    expect(headers(out, 'Via')[0]).toMatch(/^SIP\/2\.0\/UDP \[2001:db8::10\]:5060;/)
  })

  it('dialog-forming requests get Record-Route, requests within a dialog and others do not', () => {
    const withTag = { to: '<sip:bob@example.com>;tag=t2' }
    const count = (method: string, options = {}): number =>
      headers(
        new Balancer().deliver(
          PHONE,
          SHARED,
          request(method, { uri: `sip:${someUser}@x`, ...options }),
        ).out,
        'Record-Route',
      ).length
    expect(['INVITE', 'SUBSCRIBE', 'REFER'].map((method) => count(method))).toEqual([1, 1, 1])
    expect(['MESSAGE', 'OPTIONS', 'REGISTER', 'PUBLISH'].map((method) => count(method))).toEqual([
      0, 0, 0, 0,
    ])
    expect(count('INVITE', withTag)).toBe(0)
  })

  it('Record-Route is doubled between IP versions, the target’s side on top, one token', () => {
    const { out } = new Balancer().deliver(
      PHONE,
      SHARED,
      request('INVITE', { uri: `sip:${userOf(2)}@x` }),
    )
    const [top, second, ...rest] = headers(out, 'Record-Route')
    expect(top).toMatch(/@\[2001:db8::10\]:5060;lr>$/)
    expect(second).toMatch(/@203\.0\.113\.10:5060;lr>$/)
    expect(top!.split('@')[0]).toBe(second!.split('@')[0])
    expect(rest).toEqual([])
  })

  it('nothing is added from proxy to proxy', () => {
    const { out, verdict } = new Balancer().deliver(
      REGISTRARS[0],
      SHARED,
      request('INVITE', { uri: `sip:${userOf(1)}@x` }),
    )
    expect(verdict).toBe('toOwner')
    expect(headers(out, 'Record-Route')).toEqual([])
  })

  it('can be switched off', () => {
    const off = new Balancer([
      table({ edge: { ...table().edge, path: false, recordRoute: false } }),
    ])
    expect(headers(off.deliver(PHONE, SHARED, request('REGISTER')).out, 'Path')).toEqual([])
    expect(headers(off.deliver(PHONE, SHARED, request('INVITE')).out, 'Record-Route')).toEqual([])
  })
})
