/** The door of @sipcast/crds: the resources' schemas, their types, and parsing with problems a person can act on. */
export { canonicalAddress } from './address.ts'
export { parseDurationMs } from './duration.ts'
export {
  describeProblems,
  type Parsed,
  parseSipBalancerStatus,
  parseSipProxy,
  parseSipProxyStatus,
  type Problem,
} from './parse.ts'
export {
  AddressState,
  type BalancedSipProxy,
  type SipBalancerStatus,
  sipBalancerStatusSchema,
} from './sip-balancer.ts'
export {
  API_VERSION,
  HandBackPolicy,
  InsideSource,
  type LabelSelector,
  MappingKey,
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
