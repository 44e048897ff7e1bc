import { describe, expect, it } from 'vitest'
import { parseCommand } from './config.ts'

const minimal = ['--directory', '/d', '--name', 'node-a', '--inside', '10.0.0.1']

function balance(...more: string[]) {
  const command = parseCommand([...minimal, ...more], 8)
  if (command.kind !== 'balance') throw new Error(JSON.stringify(command))
  return command.config
}

describe('the balancer’s command line', () => {
  it('resolves every default', () => {
    expect(balance()).toEqual({
      source: { kind: 'directory', path: '/d' },
      name: 'node-a',
      inside: [{ address: '10.0.0.1', port: 5070 }],
      addresses: null,
      stateDirectory: '/d/state/node-a',
      socket: '/d/state/node-a/balancer.sock',
      workers: 4,
      drainMs: 0,
      metrics: null,
    })
  })

  it('drains for some seconds, if any', () => {
    expect(balance('--drain', '5').drainMs).toBe(5_000)
    for (const wrong of ['-1', '51', '1.5', 'five']) {
      const message = expect.stringContaining('--drain')
      const command = parseCommand([...minimal, `--drain=${wrong}`], 4)
      expect(command).toEqual({ kind: 'wrong', message })
    }
  })

  it('takes a cluster instead of a directory', () => {
    const words = ['--kubernetes', '--namespace', 'sipcast-system', '--name', 'node-a']
    const command = parseCommand([...words, '--inside', '10.0.0.1,2001:db8::1'], 2)
    expect(command).toMatchObject({
      kind: 'balance',
      config: {
        source: {
          kind: 'kubernetes',
          kubeconfig: null,
          namespace: 'sipcast-system',
          keysFile: null,
          nodeLabels: {},
        },
        inside: [
          { address: '10.0.0.1', port: 5070 },
          { address: '2001:db8::1', port: 5070 },
        ],
        stateDirectory: '/var/lib/sipcast/node-a',
        socket: '/var/lib/sipcast/node-a/balancer.sock',
      },
    })
    const more = ['--inside', '::1', '--kubeconfig', '/k', '--keys', '/keys.json', '--state', '/s']
    const labels = ['--node-label', 'topology.kubernetes.io/zone=site-b', '--node-label', 'edge=']
    expect(parseCommand([...words, ...more, ...labels], 2)).toMatchObject({
      config: {
        source: {
          kubeconfig: '/k',
          keysFile: '/keys.json',
          nodeLabels: { 'topology.kubernetes.io/zone': 'site-b', edge: '' },
        },
        socket: '/s/balancer.sock',
      },
    })
  })

  it('takes one inside address per IP version, and addresses in any spelling', () => {
    const config = balance(
      '--inside',
      '[2001:DB8::0:1]:5080',
      '--address',
      '2001:db8:0::9',
      '--address=203.0.113.1',
    )
    expect(config.inside).toEqual([
      { address: '10.0.0.1', port: 5070 },
      { address: '2001:db8::1', port: 5080 },
    ])
    expect(config.addresses).toEqual(['2001:db8::9', '203.0.113.1'])
  })

  it('takes an IPv6 inside address without port and brackets', () => {
    const command = parseCommand(['--directory', 'd', '--name', 'a', '--inside', '::1'], 1)
    expect(command).toMatchObject({
      config: { inside: [{ address: '::1', port: 5070 }], workers: 1 },
    })
  })

  it('takes a state directory, a number of workers and an address for metrics', () => {
    const config = balance('--state', '/s', '--workers', '2', '--metrics', '[::1]:9100')
    expect(config).toMatchObject({
      stateDirectory: '/s',
      workers: 2,
      metrics: { host: '::1', port: 9100 },
    })
    expect(balance('--metrics', 'localhost:0').metrics).toEqual({ host: 'localhost', port: 0 })
  })

  const wrong: readonly [string, readonly string[], RegExp][] = [
    ['nothing at all', [], /--directory is missing/],
    ['no name', ['--directory', 'd', '--inside', '::1'], /--name is missing/],
    [
      'no inside address',
      ['--directory', 'd', '--name', 'a'],
      /--inside ADDRESS\[:PORT\] is missing/,
    ],
    [
      'a name that would leave the directory',
      ['--directory', 'd', '--name', '../a'],
      /not a lower-case DNS name/,
    ],
    ['a host name inside', [...minimal.slice(0, 5), 'host:1'], /--inside 'host:1' is not/],
    ['port 0 inside', [...minimal.slice(0, 5), '10.0.0.1:0'], /is not ADDRESS/],
    ['two inside addresses of one version', [...minimal, '--inside', '10.0.0.2'], /more than one/],
    ['an address that is none', [...minimal, '--address', '203.0.113.300'], /is not an IP address/],
    ['a cluster and a directory', [...minimal, '--kubernetes'], /--directory excludes/],
    ['a kubeconfig without a cluster', [...minimal, '--kubeconfig', 'k'], /needs --kubernetes/],
    ['labels without a cluster', [...minimal, '--node-label', 'a=b'], /needs --kubernetes/],
    [
      'a label without a value',
      ['--kubernetes', '--namespace', 'n', '--node-label', 'zone'],
      /'zone' is not KEY=VALUE/,
    ],
    ['a cluster without a namespace', ['--kubernetes', '--name', 'a'], /--namespace is missing/],
    ['no workers', [...minimal, '--workers', '0'], /not a number from 1 to 64/],
    ['half a worker', [...minimal, '--workers', '1.5'], /not a number/],
    ['metrics without port', [...minimal, '--metrics', 'localhost'], /is not HOST:PORT/],
    ['an unknown option', [...minimal, '--verbose'], /unknown option '--verbose'/],
    ['an option without its value', [...minimal, '--state'], /--state needs a value/],
    ['an option twice', [...minimal, '--name', 'b'], /--name is given twice/],
    ['a word too many', [...minimal, 'more'], /unexpected argument 'more'/],
    ['explain without a file', ['explain', '--directory', 'd'], /exactly one FILE/],
    [
      'explain from a host name',
      ['explain', '--directory', 'd', '--from', 'a:1', 'f'],
      /--from 'a:1' is not/,
    ],
  ]
  it.each(wrong)('refuses %s in one line', (_, argv, message) => {
    const command = parseCommand(argv, 8)
    expect(command).toMatchObject({ kind: 'wrong', message: expect.stringMatching(message) })
    expect(JSON.stringify(command)).not.toContain('\\n')
  })
})

describe('explain’s command line', () => {
  it('knows sender, address, form and file', () => {
    const argv = ['explain', '--directory', 'd', '--json', '--from', '192.0.2.9:5060', 'm.sip']
    expect(parseCommand(argv, 8)).toEqual({
      kind: 'explain',
      config: { directory: 'd', from: '192.0.2.9:5060', to: null, json: true, file: 'm.sip' },
    })
  })
})

describe('preflight’s command line', () => {
  it('asks for the same addresses as the balancer', () => {
    const words = ['--inside', '10.0.0.1,2001:db8::1', '--address', '203.0.113.1', '--port', '5062']
    expect(parseCommand(['preflight', ...words, '--inside-source', 'Shared'], 1)).toEqual({
      kind: 'preflight',
      question: {
        inside: [
          { address: '10.0.0.1', port: 5070 },
          { address: '2001:db8::1', port: 5070 },
        ],
        addresses: ['203.0.113.1'],
        port: 5062,
        insideSource: 'Shared',
      },
    })
  })

  it.each([
    [[], /--inside/],
    [['--inside', '::1', '--port', '0'], /--port '0'/],
    [['--inside', '::1', '--inside-source', 'both'], /not Node or Shared/],
    [['--inside', '::1', 'x'], /unexpected/],
  ])('refuses %j in one line', (words, message) => {
    const command = parseCommand(['preflight', ...words], 1)
    expect(command).toMatchObject({ kind: 'wrong', message: expect.stringMatching(message) })
  })
})

it('offers help', () => {
  expect(parseCommand(['--help'], 1)).toEqual({ kind: 'help' })
})
