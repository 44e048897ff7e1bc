/** The door of @sipcast/crds: the resources' schemas, their types, and parsing with problems a person can act on. */
export { canonicalAddress } from './address.ts'
export {
  BGP_PEER_KIND,
  type BgpPeer,
  type BgpPeerSpec,
  type BgpPeerStatus,
} from './bgp-peer.ts'
export { parseDurationMs } from './duration.ts'
export { InsideSource } from './edge.ts'
export type { LabelSelector } from './label.ts'
export { HandBackPolicy, MappingKey } from './mapping.ts'
export {
  describeProblems,
  type Parsed,
  parseBgpPeer,
  parseBgpPeerStatus,
  parseSipBalancer,
  parseSipBalancerStatus,
  parseSipProxy,
  parseSipProxyStatus,
  type Problem,
} from './parse.ts'
export {
  AddressState,
  type BalancedSipProxy,
  BfdState,
  BgpState,
  SIP_BALANCER_KIND,
  type SipBalancer,
  type SipBalancerSpec,
  type SipBalancerStatus,
  sipBalancerStatusSchema,
} from './sip-balancer.ts'
export {
  API_VERSION,
  SIP_PROXY_KIND,
  type SipProxy,
  type SipProxySpec,
  type StaticProxy,
  sipProxySpecSchema,
} from './sip-proxy.ts'
export {
  type Condition,
  ConditionType,
  ProxyState,
  type ProxyStatus,
  type SipProxyStatus,
  sipProxyStatusSchema,
} from './sip-proxy-status.ts'
