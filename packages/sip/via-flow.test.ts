import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseEndpointText } from './address.ts'
import { BRANCH_LENGTH } from './branch.ts'
import { KeyRing } from './key-ring.ts'
import knownAnswers from './known-answers.json' with { type: 'json' }
import { Message, Scan } from './message.ts'
import { scan } from './scan.ts'
import {
  readViaFlow,
  VIA_FLOW_LENGTH_MAX,
  VIA_FLOW_PARAM,
  ViaFlow,
  writeViaFlow,
} from './via-flow.ts'
import { Writer } from './writer.ts'

const CALL_ID = 'a84b4c76e66710@pc33.example.com'
const BRANCH = 'z9hG4bKD46M8SeEvcE'
const keys = new KeyRing()
for (const { id, secret } of knownAnswers.keys) keys.add(id, Buffer.from(secret, 'hex'))

describe('Via flows', () => {
  it.each(knownAnswers.viaFlows)('to $source from $local under key $keyId', (answer) => {
    const { source, local, keyId, branch, callId, text } = answer
    const flow = flowOf(source, local, keyId, branch)
    expect(write(flow, callId)).toBe(text)
    expect(text.length).toBeLessThanOrEqual(VIA_FLOW_LENGTH_MAX)
    expect(read(via(branch, text), callId)).toEqual(said(flow))
  })

  it.each([
    ['as we wrote it', (s: string) => `;rport;branch=${BRANCH};s=${s}`],
    [
      'as Kamailio returns it',
      (s: string) => `;received=10.0.0.2;rport=5060;branch=${BRANCH};s=${s}`,
    ],
    ['with its parameters turned round', (s: string) => `;s=${s};branch=${BRANCH};rport=5060`],
    ['with space and other letters', (s: string) => ` ; S = ${s} ; BRANCH = ${BRANCH}`],
  ])('are read from a Via %s', (_, params) => {
    expect(read(`SIP/2.0/UDP 203.0.113.10:5060${params(write(FLOW, CALL_ID))}`, CALL_ID)).toEqual(
      said(FLOW),
    )
  })

  it('are refused with any bit of the record flipped', () => {
    for (const { source, local, keyId, branch } of knownAnswers.viaFlows) {
      const record = Buffer.from(write(flowOf(source, local, keyId, branch), CALL_ID), 'base64url')
      for (let bit = 0; bit < record.length * 8; bit++) {
        const forged = Buffer.from(record)
        forged[bit >> 3]! ^= 1 << (bit & 7)
        expect(read(via(branch, forged.toString('base64url')), CALL_ID), `bit ${bit}`).toBe(null)
      }
    }
  })

  it('are refused with any other branch or Call-ID', () => {
    const text = write(FLOW, CALL_ID)
    for (const changed of changes(BRANCH)) expect(read(via(changed, text), CALL_ID)).toBe(null)
    for (const changed of changes(CALL_ID)) expect(read(via(BRANCH, text), changed)).toBe(null)
    expect(read(`SIP/2.0/UDP 203.0.113.10:5060;s=${text}`, CALL_ID)).toBe(null)
    expect(read(via(BRANCH, text), CALL_ID)).toEqual(said(FLOW))
  })

  it('are refused when bytes move between branch and Call-ID', () => {
    const text = write(FLOW, CALL_ID)
    const both = BRANCH + CALL_ID
    for (let cut = 1; cut < both.length; cut++) {
      if (cut === BRANCH.length || !/^[\w.]+$/.test(both.slice(0, cut))) continue
      expect(read(via(both.slice(0, cut), text), both.slice(cut)), `cut ${cut}`).toBe(null)
    }
  })

  it('are refused where a token stands, and other kinds likewise', () => {
    for (const { text, callId } of knownAnswers.tokens) {
      expect(read(via(BRANCH, text), callId)).toBe(null)
      const record = Buffer.from(text, 'base64url')
      record[0] = 0x30 | (record[0]! & 15)
      expect(read(via(BRANCH, record.toString('base64url')), callId)).toBe(null)
    }
  })

  it('are neither written nor read with a key that the ring lacks', () => {
    expect(read(via(BRANCH, write(FLOW, CALL_ID)), CALL_ID, new KeyRing())).toBe(null)
    const writer = new Writer(new Uint8Array(100))
    expect(writeViaFlow(FLOW, new KeyRing(), messageOf(via(BRANCH), CALL_ID), writer)).toBe(false)
    expect(writer.at).toBe(0)
  })

  it('leave the ViaFlow as it was when refused', () => {
    const flow = flowOf('192.0.2.1:1', '[::1]:2', 9, BRANCH)
    const before = structuredClone(flow)
    const message = messageOf(via(BRANCH, write(FLOW, CALL_ID)), 'other')
    expect(readViaFlow(flow, keys, message)).toBe(false)
    expect(structuredClone(flow)).toEqual(before)
  })

  it('of any text are refused without a throw', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[A-Za-z0-9_-]{1,70}$/), (text) => {
        expect(read(via(BRANCH, text), CALL_ID)).toBe(null)
      }),
    )
    expect(read(via(BRANCH), CALL_ID)).toBe(null)
  })
})

const FLOW = flowOf('198.51.100.7:31000', '203.0.113.10:5060', 1, BRANCH)

function flowOf(source: string, local: string, keyId: number, branch: string): ViaFlow {
  const flow = Object.assign(new ViaFlow(), { keyId })
  expect(parseEndpointText(source, flow.source, 0)).toBe(true)
  expect(parseEndpointText(local, flow.local, 0)).toBe(true)
  expect(branch.length).toBe(BRANCH_LENGTH)
  flow.branch.set(Buffer.from(branch))
  return flow
}

/** What reading gives back: everything but the branch, which stands in the Via already. */
function said(flow: ViaFlow): object {
  return { keyId: flow.keyId, source: flow.source, local: flow.local }
}

const via = (branch: string, flow?: string) =>
  `SIP/2.0/UDP 203.0.113.10:5060;rport;branch=${branch}${flow === undefined ? '' : `;${VIA_FLOW_PARAM}=${flow}`}`

/** Every text one character away from this one, or shortened or lengthened by one. */
function changes(text: string): readonly string[] {
  const at = Array.from(text, (_, i) => i)
  return [
    ...at.map((i) => `${text.slice(0, i)}~${text.slice(i + 1)}`),
    ...at.map((i) => text.slice(0, i) + text.slice(i + 1)),
    ...at.map((i) => `${text.slice(0, i)}~${text.slice(i)}`),
    `${text}~`,
  ].filter((changed) => changed !== text)
}

function messageOf(viaValue: string, callId: string): Message {
  const text = `SIP/2.0 200 OK\r\nVia: ${viaValue}\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nFrom: <sip:a@h>;tag=1\r\nTo: <sip:b@h>;tag=2\r\nCall-ID: ${callId}\r\nCSeq: 1 BYE\r\n\r\n`
  const message = new Message()
  const bytes = Buffer.from(text)
  expect(scan(message, bytes, 0, bytes.length)).toBe(Scan.response)
  return message
}

function write(flow: ViaFlow, callId: string): string {
  const writer = new Writer(new Uint8Array(200))
  expect(writeViaFlow(flow, keys, messageOf(via(BRANCH), callId), writer)).toBe(true)
  return Buffer.from(writer.bytes.subarray(0, writer.at)).toString('latin1')
}

function read(viaValue: string, callId: string, ring = keys): object | null {
  const flow = new ViaFlow()
  return readViaFlow(flow, ring, messageOf(viaValue, callId)) ? said(flow) : null
}
