/** INVITEs larger than the network's MTU, by both IP versions under both policies of the routers. */
import {
  type AnycastSystem,
  HashPolicy,
  type Phone,
  ProxyWatch,
  type SipMessage,
  servedBy,
} from '@sipcast/lab'

/** With it, phones send INVITEs of 2900 bytes. */
const FILLING = 'x'.repeat(1_950)
const CALLERS = 8

/** @returns whether all arrived, at the right proxy, without being sent again */
export async function measureFragments(system: AnycastSystem, invites: number): Promise<boolean> {
  let isGood = true
  for (const policy of Object.values(HashPolicy)) {
    await system.hashBy(policy)
    for (const version of ['ipv4', 'ipv6'] as const) {
      const [user] = await system.usersOf('registrar-1', 1, 'large')
      const callee = await system.registered(user!, { home: 1, version })
      const callers: Phone[] = []
      for (let index = 0; index < CALLERS; index++) {
        callers.push(await system.registered(`small-${index}`, { home: index, version }))
      }
      const watch = await ProxyWatch.start(system)
      // Whole rounds of all callers.
      for (let made = 0; made < invites; made += CALLERS) {
        await Promise.all(callers.map((caller) => callOnce(caller, user!)))
      }
      await watch.stop()
      const arrived = callee.log.requests('in', 'INVITE')
      const astray = arrived.filter(({ message }) => isAstray(message)).length
      const repeated = [callee, ...callers].flatMap(({ log }) => log.retransmissions('out')).length
      const sent = callers.flatMap(({ log }) => log.requests('out', 'INVITE'))
      const bytes = (entries: typeof sent) => Math.max(...entries.map(({ text }) => text.length))
      console.log(
        `${version}, policy ${policy}: ${arrived.length} of ${invites} INVITEs arrived, of ${bytes(sent)} bytes when sent and ${bytes(arrived)} in the end, ${astray} by another proxy, ` +
          `${repeated} messages repeated, ${watch.duplicated.length} duplicated`,
      )
      const { duplicated, moved } = watch
      isGood &&= arrived.length === sent.length
      isGood &&= astray + repeated + duplicated.length + moved.length === 0
      await system.hangUpAll()
    }
  }
  await system.hashBy(HashPolicy.addressesAndPorts)
  return isGood
}

async function callOnce(caller: Phone, callee: string): Promise<void> {
  const session = await caller.call(callee, [['x-filling', FILLING]]).answered
  await session.hangUp()
}

function isAstray(message: SipMessage): boolean {
  return String(servedBy(message)) !== 'registrar-1'
}
