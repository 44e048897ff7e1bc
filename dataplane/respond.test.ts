import { describe, expect, it } from 'vitest'
import {
  Balancer,
  headers,
  INSIDE,
  PHONE,
  REGISTRARS,
  request,
  SHARED,
  userOf,
} from './forward.fixture.ts'

describe('responses', () => {
  function relayed(
    method = 'INVITE',
    from = PHONE,
    to = SHARED,
  ): { balancer: Balancer; out: string } {
    const balancer = new Balancer()
    const { out } = balancer.deliver(from, to, request(method, { uri: `sip:${userOf(0)}@x` }))
    return { balancer, out: out! }
  }
  const answerTo = (relayedRequest: string, status = '200 OK'): string => {
    const lines = relayedRequest.split('\r\n')
    const kept = lines.slice(1).filter((line) => !/^(Max-Forwards|Path|Supported)/.test(line))
    return [`SIP/2.0 ${status}`, ...kept].join('\r\n')
  }

  it('go back to the phone from the address it talked to, without our Via', () => {
    const { balancer, out } = relayed()
    const back = balancer.deliver(REGISTRARS[0], INSIDE, answerTo(out))
    expect(back).toMatchObject({ verdict: 'toSource', target: PHONE, source: SHARED })
    expect(headers(back.out, 'Via')).toEqual([
      'SIP/2.0/UDP 192.168.1.5:5060;branch=z9hG4bKaaa;rport=40000;received=198.51.100.7',
    ])
  })

  it('go back through any balancer that has the key', () => {
    const { out } = relayed()
    expect(new Balancer().deliver(REGISTRARS[0], SHARED, answerTo(out))).toMatchObject({
      verdict: 'toSource',
      target: PHONE,
      source: SHARED,
    })
  })

  it('to a member leave by the inside socket, to a masquerading node from where the request came in', () => {
    for (const [from, source] of [
      [REGISTRARS[1], INSIDE],
      ['10.1.0.2:41000', SHARED],
    ] as const) {
      const { balancer, out } = relayed('INVITE', from)
      expect(balancer.deliver(REGISTRARS[0], INSIDE, answerTo(out))).toMatchObject({
        verdict: 'toSource',
        target: from,
        source,
      })
    }
  })

  it('to a member behind a masquerading node go to its own address: other balancers are no part of that NAT', () => {
    const viaMember = request('INVITE', { uri: `sip:${userOf(0)}@x` }).replace(
      '192.168.1.5:5060',
      REGISTRARS[1],
    )
    for (const [node, target, source] of [
      ['10.1.0.2:41000', REGISTRARS[1], INSIDE],
      // A member that is not on this node is not what is behind its NAT.
      ['10.1.0.1:41000', '10.1.0.1:41000', SHARED],
    ] as const) {
      const { out } = new Balancer().deliver(node, SHARED, viaMember)
      const back = new Balancer().deliver(REGISTRARS[0], INSIDE, answerTo(out!))
      expect(back).toMatchObject({ verdict: 'toSource', target, source })
    }
  })

  it('survive a reordered Via and a filled-in rport', () => {
    const { balancer, out } = relayed()
    const via = headers(out, 'Via')[0]!
    const [, branch, flow] = /(branch=[^;]+);(s=[^;]+)/.exec(via)!
    const reordered = answerTo(out).replace(
      via,
      `SIP/2.0/UDP 203.0.113.10:5060;received=10.0.9.1;rport=5070;${flow};${branch}`,
    )
    expect(balancer.deliver(REGISTRARS[0], INSIDE, reordered).target).toBe(PHONE)
  })

  it('with a foreign, tampered or missing Via of ours are dropped', () => {
    const { balancer, out } = relayed()
    const response = answerTo(out)
    const flow = /;s=([\w-]+)/.exec(response)![1]!
    const flipped = `${flow.slice(0, 6)}${flow[6] === 'A' ? 'B' : 'A'}${flow.slice(7)}`
    for (const [what, message] of [
      ['tampered', response.replace(flow, flipped)],
      ['another branch', response.replace(/branch=z9hG4bK[\w-]{11}/, 'branch=z9hG4bKAAAAAAAAAAA')],
      ['another call', response.replace('call-1@phone', 'call-2@phone')],
      ['no parameter of ours', response.replace(`;s=${flow}`, '')],
      ['our Via alone', response.replace(/Via: SIP\/2\.0\/UDP 192[^\r]*\r\n/, '')],
    ] as const) {
      expect(balancer.deliver(PHONE, SHARED, message).verdict, what).toBe('dropForeignResponse')
    }
  })
})
