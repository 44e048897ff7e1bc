/** The lab's door: what tests and benchmarks start, talk to and look at. lab/README.md shows how. */

export { BalancerNode } from './anycast/balancer-node.ts'
export { faultOf, faults, type NodeFault } from './anycast/faults.ts'
export { LeaseWatch } from './anycast/lease-watch.ts'
export { ProxyWatch } from './anycast/proxy-watch.ts'
export { startFlood } from './anycast/start-flood.ts'
export {
  ANYCAST_DOMAIN,
  ANYCAST_SIP_PROXY,
  AnycastSystem,
  type AnycastSystemOptions,
} from './anycast/system.ts'
export { lostCalls, type TrialResult, Trials } from './anycast/trial.ts'
export { EXAMPLE, exampleSecrets } from './cluster/example.ts'
export { applyExample, install, NAMESPACE, untilReady, untilServed } from './cluster/install.ts'
export { type ClusterNode, KindCluster } from './cluster/kind.ts'
export { Kubectl } from './cluster/kubectl.ts'
export { nodesWithBalancers } from './cluster/lasting-phones.ts'
export { type PhoneHome, PhoneNetwork } from './cluster/phones.ts'
export { run as runProgram } from './cluster/program.ts'
export { RouteKeeper } from './cluster/route-keeper.ts'
export { ClusterRouter, RouterKind } from './cluster/router.ts'
export { conditionOf, isReady, type Pod, troublesIn } from './cluster/troubles.ts'
export {
  FakeApiServer,
  type FakeApiServerOptions,
  type SeenRequest,
} from './kubernetes/fake-api-server.ts'
export type { Fault, FaultEffect } from './kubernetes/faults.ts'
export type { ResourceKind } from './kubernetes/resource-kind.ts'
export {
  Anycast,
  type AnycastOptions,
  type DataCentre,
  HashPolicy,
  NODE_ASN,
  type Router,
} from './network/anycast.ts'
export { type BirdOptions, startBird } from './network/bird.ts'
export { Frr } from './network/frr.ts'
export { frrConfig } from './network/frr-config.ts'
export { nextHops } from './network/kernel-routes.ts'
export { freePort, LoopbackBlock } from './network/loopback.ts'
export { Namespace } from './network/namespace.ts'
export { openSocket } from './network/namespace-socket.ts'
export { type Addressing, Segment } from './network/segment.ts'
export {
  type Node,
  namespacesUnavailable,
  SHARED_IPV4,
  SHARED_IPV6,
  Topology,
  type TopologyOptions,
} from './network/topology.ts'
export { openGateway } from './phone/gateway.ts'
export { Inbox } from './phone/inbox.ts'
export { IncomingCall } from './phone/incoming-call.ts'
export {
  byOutcome,
  type Call,
  isFailed,
  Load,
  type LoadOptions,
  type PhoneSource,
  QUICK_TIMERS,
} from './phone/load.ts'
export { type LogEntry, MessageLog, servedBy } from './phone/message-log.ts'
export { CallRefused, OutgoingCall } from './phone/outgoing-call.ts'
export { Phone, type PhoneOptions, type Registration } from './phone/phone.ts'
export { type EndReason, Session } from './phone/session.ts'
export { Notifier, Subscription } from './phone/subscription.ts'
export { isOwnTimeout } from './phone/user-agent.ts'
export {
  type Exit,
  Process,
  ProcessError,
  type ProcessOptions,
  startProcess,
} from './process/process.ts'
export {
  header,
  headerValues,
  parseMessage,
  type SipMessage,
  type SipRequest,
  type SipResponse,
} from './sip/message.ts'
export { RFC_TIMERS, type Timers } from './sip/timers.ts'
export { Transport } from './sip/transport.ts'
export { type Endpoint, formatEndpoint, parseEndpoint } from './sip/uri.ts'
export { type BalancerOptions, startBalancer, untilServing } from './start/balancer.ts'
export { eventually, LabDirectory, type ManifestSpec } from './start/directory.ts'
export { findKamailio, kamailioControl } from './start/kamailio.ts'
export { DOMAIN, Lab, type LabOptions, SIP_PROXY } from './start/lab.ts'
export { type OperatorOptions, startOperator } from './start/operator.ts'
export { Part } from './start/part.ts'
export { passwordOf } from './start/password.ts'
export {
  newPoolSecrets,
  type PoolSecrets,
  Registrar,
  RegistrarKind,
  type RegistrarOptions,
} from './start/registrar.ts'
export { type CallersOptions, type CallersResult, makeCalls } from './start/sipp.ts'
