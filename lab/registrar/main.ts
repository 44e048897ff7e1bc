/**
 * The lab's reference registrar and proxy, as a program: a stand-in for Kamailio with
 * lab/kamailio/kamailio.cfg where there is none. `--help` shows its options.
 */
import { parseConfig, USAGE } from './config.ts'
import { Proxy } from './proxy.ts'

const config = parseConfig(process.argv.slice(2), process.env)
if (!config.ok) {
  console.error(config.error === 'help' ? USAGE : `reference registrar: ${config.error}`)
  process.exit(config.error === 'help' ? 0 : 2)
}
const proxy = await Proxy.open(config.value)
console.log(
  `listening on ${config.value.listen.map(({ address, port }) => `${address} ${port}`).join(', ')}`,
)

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => {
    proxy.close()
    process.exit(0)
  })
}
