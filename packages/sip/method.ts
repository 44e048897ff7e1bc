/** Method names to codes. Not case-insensitive: `invite` is an extension method (RFC 3261 §7.1). */
import { Method } from './message.ts'
import { NameTable } from './name-table.ts'

const METHODS = new NameTable(
  [
    ['INVITE', Method.invite],
    ['ACK', Method.ack],
    ['BYE', Method.bye],
    ['CANCEL', Method.cancel],
    ['REGISTER', Method.register],
    ['OPTIONS', Method.options],
    ['SUBSCRIBE', Method.subscribe],
    ['NOTIFY', Method.notify],
    ['MESSAGE', Method.message],
    ['INFO', Method.info],
    ['REFER', Method.refer],
    ['UPDATE', Method.update],
    ['PRACK', Method.prack],
    ['PUBLISH', Method.publish],
  ],
  'exact case',
)

/** The method spelt in [start, end). */
export function methodOf(view: DataView, start: number, end: number): Method {
  return METHODS.find(view, start, end) as Method
}
