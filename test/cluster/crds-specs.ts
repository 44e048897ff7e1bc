/**
 * The smallest specs, and how they are changed into the rows of refused and accepted objects. Not here: the rows
 * (crds-refused.ts, crds-accepted.ts).
 */
export type Change = Readonly<Record<string, unknown>>

export const proxy = { name: 'a', address: '192.0.2.1' }

export function sipProxySpec(change: Change = {}) {
  return { addresses: ['203.0.113.10'], proxies: { static: [proxy] }, ...change }
}

export function bgpPeerSpec(change: Change = {}) {
  return { peerAddress: '192.0.2.1', peerASN: 64512, localASN: 64513, ...change }
}
