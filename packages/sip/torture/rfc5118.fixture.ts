/**
 * For tests: the IPv6 torture cases of RFC 5118 §4, written anew after their descriptions. Cases about SDP (4.6, 4.7,
 * 4.9) are none of a balancer's: it never opens a body.
 */
import { invite, type Row, register } from './rows.fixture.ts'

const BYE = '=BYE sip:user@[2001:db8::9:1] SIP/2.0'

export const rfc5118: readonly Row[] = [
  {
    says: '4.1: an IPv6 reference in Request-URI and Via',
    datagram: register(
      '=REGISTER sip:[2001:db8::10] SIP/2.0',
      'Via: SIP/2.0/UDP [2001:db8::9:1];branch=z9hG4bKas3-111',
    ),
    result: 'request',
    fields: {
      uri: { host: '[2001:db8::10]', port: 0, user: null },
      via: { host: '[2001:db8::9:1]', port: 0, branch: 'z9hG4bKas3-111' },
    },
  },
  {
    says: '4.2: an IPv6 address without brackets in the Request-URI',
    datagram: register('=REGISTER sip:2001:db8::10 SIP/2.0'),
    result: 'badRequest',
    defect: 'requestUri',
  },
  {
    says: '4.3: what looks like a port inside the brackets belongs to the address',
    datagram: register('=REGISTER sip:[2001:db8::10:5070] SIP/2.0'),
    result: 'request',
    fields: { uri: { host: '[2001:db8::10:5070]', port: 0 } },
  },
  {
    says: '4.4: a port after the brackets',
    datagram: register('=REGISTER sip:[2001:db8::10]:5070 SIP/2.0'),
    result: 'request',
    fields: { uri: { host: '[2001:db8::10]', port: 5070 } },
  },
  {
    says: '4.5: received with brackets, as some send it',
    datagram: invite(
      BYE,
      'CSeq: 1 BYE',
      'Via: SIP/2.0/UDP [2001:db8::9:1];received=[2001:db8::9:255];branch=z9hG4bKas3-111',
    ),
    result: 'request',
    fields: { via: { received: ';received=[2001:db8::9:255]', branch: 'z9hG4bKas3-111' } },
  },
  {
    says: '4.5: received without brackets, as the grammar has it',
    datagram: invite(
      BYE,
      'CSeq: 1 BYE',
      'Via: SIP/2.0/UDP [2001:db8::9:1];received=2001:db8::9:255;branch=z9hG4bKas3',
    ),
    result: 'request',
    fields: { via: { received: ';received=2001:db8::9:255', branch: 'z9hG4bKas3' } },
  },
  {
    says: '4.8: IPv4 and IPv6 in one message',
    datagram: invite(
      'Via: SIP/2.0/UDP [2001:db8::9:1]:6050;branch=z9hG4bKas3-111',
      '+Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKjhja8781hjuaij65144',
      '+Route: <sip:[2001:db8::10];lr>, <sip:192.0.2.7;lr>',
    ),
    result: 'request',
    fields: {
      via: { host: '[2001:db8::9:1]', port: 6050 },
      viaCount: 2,
      routes: [
        { uri: 'sip:[2001:db8::10];lr', loose: true },
        { uri: 'sip:192.0.2.7;lr', loose: true },
      ],
    },
  },
  {
    says: '4.9: an IPv4-mapped address',
    datagram: invite('Via: SIP/2.0/UDP [::ffff:192.0.2.10]:19823;branch=z9hG4bKbh19'),
    result: 'request',
    fields: { via: { host: '[::ffff:192.0.2.10]', port: 19823 } },
  },
  {
    says: '4.10: three colons, which the grammar of RFC 3261 lets one generate, pass: they are no address of ours',
    datagram: invite('=INVITE sip:user@[2001:db8:::192.0.2.1] SIP/2.0'),
    result: 'request',
    fields: { uri: { host: '[2001:db8:::192.0.2.1]' } },
  },
]
