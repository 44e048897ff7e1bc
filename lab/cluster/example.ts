/**
 * What examples/kamailio makes, for those who want to register with it. Not here: applying it (install.ts).
 */
import type { PoolSecrets } from '../start/registrar.ts'
import type { Kubectl } from './kubectl.ts'

export const EXAMPLE = {
  namespace: 'default',
  sipProxy: 'registrars',
  address: '203.0.113.10',
} as const

const SECRET = 'registrar'

/** Its realm and secrets: passwords of all users follow from them (`passwordOf`). */
export async function exampleSecrets(
  kubectl: Kubectl,
  namespace: string = EXAMPLE.namespace,
): Promise<PoolSecrets> {
  const { data } = await kubectl.json<{ data: Readonly<Record<string, string>> }>(
    'get',
    'secret',
    SECRET,
    '-n',
    namespace,
  )
  const value = (key: string) => Buffer.from(data[key] ?? '', 'base64').toString()
  return {
    realm: value('REALM'),
    nonceSecret: value('NONCE_SECRET'),
    passwordSecret: value('PASSWORD_SECRET'),
  }
}
