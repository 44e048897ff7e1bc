/** `npm run cluster:down`: takes away everything that `npm run cluster` made, whether or not all of it is there. */
import process from 'node:process'
import { CLUSTER_NAME } from './config.ts'
import { KindCluster } from './kind.ts'
import { removePhones } from './lasting-phones.ts'
import { missingPrograms } from './program.ts'
import { removeRouters } from './router.ts'
import { step } from './step.ts'

const missing = missingPrograms(['docker', 'kind'])
if (missing.length > 0) {
  console.error(['sipcast: to delete a cluster takes', ...missing].join('\n  '))
  process.exit(1)
}
const cluster = new KindCluster({ name: CLUSTER_NAME })
// What is left to take away of phones, only root can have made.
if (process.getuid?.() === 0) await step('phones', removePhones)
await step('router', () => removeRouters(CLUSTER_NAME))
await step(`cluster ${CLUSTER_NAME}`, () => cluster.delete())
