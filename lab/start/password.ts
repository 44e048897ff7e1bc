/**
 * The password of a user in a pool that derives passwords instead of storing them. Both registrars compute it
 * so; it needs no list of users, and is as good as the secret.
 */
import { createHash } from 'node:crypto'
import type { PoolSecrets } from './registrar.ts'

export function passwordOf(user: string, secrets: PoolSecrets): string {
  return createHash('md5')
    .update(`${user}:${secrets.realm}:${secrets.passwordSecret}`)
    .digest('hex')
}
