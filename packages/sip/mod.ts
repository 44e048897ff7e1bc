/**
 * The SIP wire: scan a datagram into offsets, edit it, write messages, tokens. Pure: imports nothing, keeps nothing.
 */
export {
  ENDPOINT_TEXT_MAX,
  ENDPOINT_WORDS,
  formatAddress,
  formatEndpoint,
  isIPv4,
  parseAddress,
  parseAddressText,
  parseEndpointText,
  sameAddress,
  sameEndpoint,
  writeAddress,
} from './address.ts'
export { ascii, sameIgnoringCase } from './ascii.ts'
export { EDITS_MAX, Edits, removeRoutes, removeTopVia } from './edit.ts'
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
export { Writer } from './writer.ts'
