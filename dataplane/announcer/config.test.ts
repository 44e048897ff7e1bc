import { describe, expect, it } from 'vitest'
import { parseAnnouncerCommand } from './config.ts'

function config(...argv: string[]) {
  const command = parseAnnouncerCommand(argv)
  if (command.kind !== 'announce') throw new Error(JSON.stringify(command))
  return command.config
}

describe('the announcer’s command line', () => {
  it('without pools holds nothing in a cluster, and everything for a directory', () => {
    const rest = { interface: 'lo', ip: 'ip', metrics: null }
    expect(config('--socket', '/s')).toEqual({ socket: '/s', pools: [], ...rest })
    const socket = '/d/state/node-a/balancer.sock'
    expect(config('--directory', '/d', '--name', 'node-a')).toEqual({
      socket,
      pools: null,
      ...rest,
    })
  })

  it('takes pools, interface, program and metrics', () => {
    const pools = ['203.0.113.0/24', '2001:db8::/32']
    const options = pools.flatMap((pool) => ['--address-pool', pool])
    const more = ['--interface', 'anycast', '--ip', '/ip', '--metrics', '[::1]:9465']
    expect(config('--socket', '/s', ...options, ...more)).toEqual({
      socket: '/s',
      pools,
      interface: 'anycast',
      ip: '/ip',
      metrics: { host: '::1', port: 9465 },
    })
  })

  const wrong: readonly [string, readonly string[], RegExp][] = [
    ['nothing at all', [], /either --socket PATH or --directory DIR/],
    ['both places', ['--socket', 's', '--directory', 'd', '--name', 'n'], /either --socket/],
    ['a directory without name', ['--directory', 'd'], /--name is missing/],
    ['a pool that is none', ['--socket', 's', '--address-pool', '10.0.0.0/33'], /is no network/],
    ['an interface too long', ['--socket', 's', '--interface', 'loopback'], /at most 7 characters/],
    ['an interface of two words', ['--socket', 's', '--interface', 'lo x'], /is no name/],
    ['a word too many', ['--socket', 's', 'x'], /unexpected argument 'x'/],
  ]
  it.each(wrong)('refuses %s in one line', (_, argv, message) => {
    const command = parseAnnouncerCommand(argv)
    expect(command).toMatchObject({ kind: 'wrong', message: expect.stringMatching(message) })
  })

  it('offers help', () => expect(parseAnnouncerCommand(['--help'])).toEqual({ kind: 'help' }))
})
