/**
 * A scripted PSTN gateway: a phone that nobody registers, at a fixed address, which takes every call
 * (`onCall` changes that).
 */
import type { Endpoint } from '../sip/uri.ts'
import { Phone, type PhoneOptions } from './phone.ts'

export async function openGateway(
  endpoint: Endpoint,
  options: Pick<PhoneOptions, 'namespace' | 'timers'> = {},
): Promise<Phone> {
  const who = { user: 'gateway', password: '', domain: 'gateway.invalid', targets: [] }
  return await Phone.open({ ...options, ...endpoint, ...who })
}
