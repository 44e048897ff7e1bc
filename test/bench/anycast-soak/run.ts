/**
 * Long, on a busy machine: half of the processors are kept busy, a proxy dies every 20 s and comes back, phones call
 * all the time, and no node may lose its routes.
 *
 *   npm run bench -- anycast-soak [MINUTES]
 *
 * Counted apart: BFD sessions that routers lost, BGP sessions that they lost, announced copies that nodes lost. Exits
 * 1 where there is any of these. Needs what the anycast benchmark needs.
 */
import { spawn } from 'node:child_process'
import { availableParallelism, loadavg } from 'node:os'
import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import { AnycastSystem, byOutcome, isFailed, LeaseWatch, Trials } from '@sipcast/lab'
import { RouterLog } from './router-log.ts'

const MINUTES_DEFAULT = '30'
const DEATH_EVERY_MS = 20_000
const DEAD_MS = 8_000

const minutes = Number(process.argv[2] ?? MINUTES_DEFAULT)
const system = await AnycastSystem.start({
  kind: 'kamailio',
  replyToShared: true,
  spec: { mapping: { slots: 256, handBack: { after: '3s', maxMovedPercent: 50, per: '1s' } } },
})
const burners = Array.from({ length: Math.ceil(availableParallelism() / 2) }, () =>
  spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' }),
)
try {
  const trials = await Trials.start(system)
  const leases = await LeaseWatch.start(system.nodes)
  const routers = new RouterLog(system.routers)
  const beganMs = performance.now()
  const loads: number[] = []
  let deaths = 0
  while (performance.now() - beganMs < minutes * 60_000) {
    const victim = system.registrars[deaths++ % system.registrars.length]!
    await victim.kill()
    await sleep(DEAD_MS)
    await victim.revive()
    await sleep(DEATH_EVERY_MS - DEAD_MS)
    loads.push(loadavg()[0]!)
    for (const phone of system.phones) phone.log.clear()
    const told = [
      `BFD ${routers.bfdLost}`,
      `BGP ${routers.bgpLost}`,
      `leases ${leases.lost.length}`,
    ]
    process.stderr.write(
      `${Math.round((performance.now() - beganMs) / 1_000)} s: ${told.join(', ')}\n`,
    )
  }
  const ranMs = performance.now() - beganMs
  const { asked, unanswered } = trials.stream.losses(beganMs, performance.now() - 2_000)
  await system.untilRouted()
  await trials.stop()
  const calls = trials.load.calls
  console.log(
    `${(ranMs / 60_000).toFixed(1)} minutes, load average ${Math.min(...loads)} to ${Math.max(...loads)}, ${deaths} deaths of proxies: ` +
      `${routers.bfdLost} BFD sessions lost, ${routers.bgpLost} BGP sessions lost, ${leases.lost.length} announced copies lost\n` +
      `calls: ${JSON.stringify(byOutcome(calls))}; single requests of the last minutes unanswered: ${unanswered.length} of ${asked}`,
  )
  console.log(`failed calls: ${calls.filter(isFailed).length} of ${calls.length}`)
  if (leases.lost.length > 0) console.log(leases.lost.join('\n'))
  process.exitCode = routers.bfdLost + routers.bgpLost + leases.lost.length === 0 ? 0 : 1
  await leases.stop()
} finally {
  for (const burner of burners) burner.kill('SIGKILL')
  await system.stop()
}
