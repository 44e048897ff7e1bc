/**
 * What is the same in tables that tests write by hand: every setting at some plain value. Not here: members and who
 * owns what, which is what those tests are about.
 */
import { defaultSeed, HASH_NAME, type TableContent } from '@sipcast/mapping'

/** When everything of such a table began. */
export const START = '2026-01-01T00:00:00.000Z'

const NAMESPACE = 'default'
const NAME = 'registrars'

export const PLAIN_TABLE: Omit<
  TableContent,
  'addresses' | 'epoch' | 'members' | 'slots' | 'owners' | 'backups'
> = {
  schema: 1,
  uid: 'uid-1',
  namespace: NAMESPACE,
  name: NAME,
  generation: 1,
  objectCreated: START,
  leaseTransitions: 0,
  removed: false,
  hash: HASH_NAME,
  seed: defaultSeed(NAMESPACE, NAME),
  key: 'User',
  signingKey: 1,
  port: 5060,
  aliases: [],
  domains: [],
  edge: {
    path: true,
    recordRoute: true,
    insideSource: 'Node',
    insideNetworks: [],
    trustedNetworks: [],
    rateLimit: null,
    denyUserAgents: [],
  },
  probe: {
    intervalMs: 500,
    timeoutMs: 400,
    fall: 2,
    rise: 3,
    acceptedCodes: ['2xx'],
    requestUri: null,
    from: null,
  },
  panicPercent: 50,
  former: [],
}
