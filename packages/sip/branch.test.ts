import { describe, expect, it } from 'vitest'
import {
  BRANCH_LENGTH,
  LOCAL_TAG_LENGTH,
  localTagMatches,
  writeBranch,
  writeLocalTag,
} from './branch.ts'
import knownAnswers from './known-answers.json' with { type: 'json' }
import { Message, Scan } from './message.ts'
import { scan } from './scan.ts'

describe('writeBranch', () => {
  it.each(knownAnswers.branches)('behind $topVia is $branch', (answer) => {
    const { topVia, callId, fromTag, cseq, branch } = answer
    expect(branchOf({ topVia, callId, fromTag, cseq })).toBe(branch)
  })

  it('is a token with the magic cookie, and fills its length', () => {
    expect(branchOf({})).toMatch(/^z9hG4bK[A-Za-z0-9_-]{11}$/)
    expect(branchOf({}).length).toBe(BRANCH_LENGTH)
  })

  it.each([
    ['the CANCEL', { method: 'CANCEL' }],
    ['the ACK to its non-2xx response', { method: 'ACK', toTag: 'theirs' }],
    ['its retransmission behind a new NAT binding', { via2: '', extra: 'X: y\r\n' }],
    [
      'what differs in Request-URI, Max-Forwards and Routes',
      { uri: 'sip:c@z', extra: 'Max-Forwards: 3\r\nRoute: <sip:x;lr>\r\n' },
    ],
    ['an RFC 2543 client, likewise', { topVia: 'SIP/2.0/UDP 10.0.0.1' }],
  ])('is the same for a request and %s', (_, change) => {
    const topVia = 'topVia' in change ? { topVia: change.topVia } : {}
    expect(branchOf({ ...topVia, ...change })).toBe(branchOf(topVia))
  })

  it.each([
    ['top Via branch', { topVia: 'SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bK2' }],
    ['sent-by host', { topVia: 'SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bK1' }],
    ['sent-by port', { topVia: 'SIP/2.0/UDP 10.0.0.1:5061;branch=z9hG4bK1' }],
    ['absence of a sent-by port', { topVia: 'SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK1' }],
    ['Call-ID', { callId: 'd' }],
    ['From tag', { fromTag: 'g' }],
    ['absence of a From tag', { fromTag: null }],
    ['CSeq number', { cseq: 2 }],
  ])('differs with the %s', (_, change) => {
    expect(branchOf(change)).not.toBe(branchOf({}))
  })

  it('does not confuse neighbouring fields', () => {
    const all = new Set(
      ['|abcdef', 'a|bcdef', 'ab|cdef', 'abc|def', 'abcd|ef', 'abcde|f'].map((both) => {
        const [branch, callId] = both.split('|') as [string, string]
        return branchOf({ topVia: `SIP/2.0/UDP h;branch=z${branch}`, callId, fromTag: null })
      }),
    )
    expect(all.size).toBe(6)
    expect(branchOf({ callId: 'ab', fromTag: 'c' })).not.toBe(
      branchOf({ callId: 'a', fromTag: 'bc' }),
    )
  })
})

describe('the local tag', () => {
  it.each(knownAnswers.branches)('of $callId, $fromTag, $cseq is $localTag', (answer) => {
    expect(localTagOf(answer)).toBe(answer.localTag)
    expect(answer.localTag.length).toBe(LOCAL_TAG_LENGTH)
  })

  it('matches on the ACK to our reply', () => {
    const toTag = localTagOf({})
    expect(localTagMatches(request({ method: 'ACK', toTag }))).toBe(true)
  })

  it.each([
    ['no tag', { toTag: null }],
    ['the tag of a phone', { toTag: 'sc-aaaaaaaaaaa' }],
    ['the tag of another call', { callId: 'd' }],
    ['the tag of another caller', { fromTag: 'g' }],
    ['the tag of an earlier request', { cseq: 2 }],
    ['more than the tag', { toTag: `${localTagOf({})}A` }],
    ['less than the tag', { toTag: localTagOf({}).slice(0, -1) }],
  ])('does not match an ACK with %s', (_, change) => {
    expect(localTagMatches(request({ method: 'ACK', toTag: localTagOf({}), ...change }))).toBe(
      false,
    )
  })
})

interface Parts {
  readonly method?: string
  readonly uri?: string
  readonly topVia?: string
  readonly via2?: string
  readonly callId?: string
  readonly fromTag?: string | null
  readonly toTag?: string | null
  readonly cseq?: number
  readonly extra?: string
}

function request(parts: Parts): Message {
  const method = parts.method ?? 'INVITE'
  const fromTag = parts.fromTag === null ? '' : `;tag=${parts.fromTag ?? 'f'}`
  const toTag = parts.toTag === undefined || parts.toTag === null ? '' : `;tag=${parts.toTag}`
  const text = `${method} ${parts.uri ?? 'sip:b@y'} SIP/2.0\r
Via: ${parts.topVia ?? 'SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bK1'}\r
Via: ${parts.via2 || 'SIP/2.0/UDP h;branch=z9hG4bK0'}\r
${parts.extra ?? ''}From: <sip:a@x>${fromTag}\r
To: <sip:b@y>${toTag}\r
Call-ID: ${parts.callId ?? 'c'}\r
CSeq: ${parts.cseq ?? 1} ${method}\r\n\r\n`
  const message = new Message()
  const bytes = Buffer.from(text)
  expect(scan(message, bytes, 0, bytes.length)).toBe(Scan.request)
  return message
}

function branchOf(parts: Parts): string {
  return written(writeBranch, request(parts))
}

function localTagOf(parts: Parts): string {
  return written(writeLocalTag, request(parts))
}

function written(write: typeof writeBranch, message: Message): string {
  const out = Buffer.alloc(40)
  return out.toString('latin1', 3, write(out, 3, message))
}
