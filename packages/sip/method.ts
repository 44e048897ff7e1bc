/** Method names to codes. Not case-insensitive: `invite` is an extension method (RFC 3261 §7.1). */
import { ascii } from './ascii.ts'
import { Method } from './message.ts'

const INVITE = ascii('INVITE')
const ACK = ascii('ACK')
const BYE = ascii('BYE')
const CANCEL = ascii('CANCEL')
const REGISTER = ascii('REGISTER')
const OPTIONS = ascii('OPTIONS')
const SUBSCRIBE = ascii('SUBSCRIBE')
const NOTIFY = ascii('NOTIFY')
const MESSAGE = ascii('MESSAGE')
const INFO = ascii('INFO')
const REFER = ascii('REFER')
const UPDATE = ascii('UPDATE')
const PRACK = ascii('PRACK')
const PUBLISH = ascii('PUBLISH')

/** The method spelt in [start, end). */
export function methodOf(bytes: Uint8Array, start: number, end: number): Method {
  switch (end - start) {
    case 3:
      if (same(bytes, start, ACK)) return Method.ack
      return same(bytes, start, BYE) ? Method.bye : Method.other
    case 4:
      return same(bytes, start, INFO) ? Method.info : Method.other
    case 5:
      if (same(bytes, start, PRACK)) return Method.prack
      return same(bytes, start, REFER) ? Method.refer : Method.other
    case 6:
      if (same(bytes, start, INVITE)) return Method.invite
      if (same(bytes, start, CANCEL)) return Method.cancel
      if (same(bytes, start, NOTIFY)) return Method.notify
      return same(bytes, start, UPDATE) ? Method.update : Method.other
    case 7:
      if (same(bytes, start, OPTIONS)) return Method.options
      if (same(bytes, start, MESSAGE)) return Method.message
      return same(bytes, start, PUBLISH) ? Method.publish : Method.other
    case 8:
      return same(bytes, start, REGISTER) ? Method.register : Method.other
    case 9:
      return same(bytes, start, SUBSCRIBE) ? Method.subscribe : Method.other
    default:
      return Method.other
  }
}

function same(bytes: Uint8Array, start: number, name: Uint8Array): boolean {
  for (let i = 0; i < name.length; i++) if (bytes[start + i] !== name[i]) return false
  return true
}
