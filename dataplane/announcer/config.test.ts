import { describe, expect, it } from 'vitest'
import { parseAnnouncerCommand } from './config.ts'

function config(...argv: string[]) {
  const command = parseAnnouncerCommand(argv)
  if (command.kind !== 'announce') throw new Error(JSON.stringify(command))
  return command.config
}

describe('the announcer’s command line', () => {
  it('without pools holds nothing in a cluster, and everything for a directory', () => {
    const rest = { interface: 'lo', ip: 'ip', bird: null, metrics: null }
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
      bird: null,
      metrics: { host: '::1', port: 9465 },
    })
  })

  it('takes BIRD, with passwords and orders of the cluster or of the directory', () => {
    const bird = ['--bird-config', '/b/bird.conf', '--bird-socket', '/b/bird.ctl']
    const common = { file: '/b/bird.conf', socket: '/b/bird.ctl' }
    const nowhere = { ...common, passwords: null, manifests: null }
    expect(config('--socket', '/s', ...bird).bird).toEqual(nowhere)
    const mounted = config('--socket', '/s', ...bird, '--passwords', '/p').bird
    expect(mounted).toEqual({ ...nowhere, passwords: '/p' })
    const manifests = { directory: '/d', name: 'a' }
    const inDirectory = config('--directory', '/d', '--name', 'a', ...bird).bird
    expect(inDirectory).toEqual({ ...common, passwords: '/d/secrets', manifests })
  })

  const wrong: readonly [string, readonly string[], RegExp][] = [
    ['nothing at all', [], /either --socket PATH or --directory DIR/],
    ['both places', ['--socket', 's', '--directory', 'd', '--name', 'n'], /either --socket/],
    ['a directory without name', ['--directory', 'd'], /--name is missing/],
    ['a pool that is none', ['--socket', 's', '--address-pool', '10.0.0.0/33'], /is no network/],
    ['a pool of no length', ['--socket', 's', '--address-pool', '10.0.0.0/'], /is no network/],
    ['a pool of odd length', ['--socket', 's', '--address-pool', '10.0.0.0/1e1'], /is no network/],
    ['an interface too long', ['--socket', 's', '--interface', 'loopback'], /at most 7 characters/],
    ['an interface of two words', ['--socket', 's', '--interface', 'lo x'], /is no name/],
    ['half a BIRD', ['--socket', 's', '--bird-config', 'c'], /go together/],
    ['the other half', ['--socket', 's', '--bird-socket', 'c'], /go together/],
    ['passwords for nobody', ['--socket', 's', '--passwords', 'd'], /--passwords needs/],
    [
      'a socket too long',
      ['--socket', 's', '--bird-config', 'c', '--bird-socket', 'x'.repeat(108)],
      /longer than 107 bytes/,
    ],
    [
      'a file that BIRD cannot name',
      ['--socket', 's', '--bird-config', 'a"b', '--bird-socket', 'c'],
      /odd characters/,
    ],
    ['a word too many', ['--socket', 's', 'x'], /unexpected argument 'x'/],
  ]
  it.each(wrong)('refuses %s in one line', (_, argv, message) => {
    const command = parseAnnouncerCommand(argv)
    expect(command).toMatchObject({ kind: 'wrong', message: expect.stringMatching(message) })
  })

  it('offers help', () => expect(parseAnnouncerCommand(['--help'])).toEqual({ kind: 'help' }))
})
