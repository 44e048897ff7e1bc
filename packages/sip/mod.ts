/**
 * The SIP wire: scan a datagram into offsets, edit it, write messages, tokens. Pure: imports nothing, keeps nothing.
 */
export {
  copyEndpoint,
  ENDPOINT_WORDS,
  formatAddress,
  formatEndpoint,
  isIPv4,
  parseAddress,
  parseAddressText,
  parseEndpointText,
  sameAddress,
  sameEndpoint,
} from './address.ts'
export { ascii, sameIgnoringCase, type Text, asText } from './ascii.ts'
export {
  BRANCH_LENGTH,
  localTagMatches,
  writeBranch,
} from './branch.ts'
export { EDITS_MAX, Edits, removeRoutes, removeTopVia } from './edit.ts'
export { KEY_BYTES, KEY_ID_MAX, KeyRing } from './key-ring.ts'
export { KEY_LENGTH_MAX, userKey } from './key.ts'
export {
  Defect,
  Message,
  Method,
  ROUTES_MAX,
  RouteView,
  Scan,
  Scheme,
  UriView,
  ViaView,
} from './message.ts'
export { scan } from './scan.ts'
export { SipHash } from './siphash.ts'
export { STUN_RESPONSE_BYTES_MAX, writeStunResponse } from './stun.ts'
export { readToken, TOKEN_LENGTH_MAX, Token, TokenKind, writeToken } from './token.ts'
export {
  readViaFlow,
  VIA_FLOW_LENGTH_MAX,
  VIA_FLOW_PARAM,
  ViaFlow,
  writeViaFlow,
} from './via-flow.ts'
export {
  type LocalResponse,
  type OptionsRequest,
  RESPONSE_GROWTH_MAX,
  writeOptions,
  writeResponse,
} from './write.ts'
export { Writer } from './writer.ts'
