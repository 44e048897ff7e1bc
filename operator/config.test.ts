import { expect, test } from 'vitest'
import { parseConfig, UsageError } from './config.ts'

test('a directory is enough', () => {
  expect(parseConfig(['--directory', '/var/lib/sipcast'])).toEqual({
    place: { kind: 'directory', directory: '/var/lib/sipcast' },
    metrics: null,
  })
})

test('on Kubernetes the namespace is enough', () => {
  expect(parseConfig(['--kubernetes', '--namespace', 'sipcast-system']).place).toEqual({
    kind: 'kubernetes',
    kubeconfig: null,
    namespace: 'sipcast-system',
    lease: 'sipcast-operator',
    identity: null,
    addressPools: null,
  })
})

test.each([
  ['127.0.0.1:9090', '127.0.0.1', 9090],
  ['[::1]:9090', '::1', 9090],
  [':9090', '0.0.0.0', 9090],
  ['localhost:0', 'localhost', 0],
])('--metrics %s', (text, host, port) => {
  expect(parseConfig(['--directory', 'd', '--metrics', text]).metrics).toEqual({ host, port })
})

test.each([
  [[], '--directory DIR is missing (or --kubernetes)'],
  [['--kubernetes'], '--namespace NAMESPACE is missing'],
  [['--kubernetes', '--namespace', 'a/b'], '--namespace a/b is no Kubernetes name'],
  [['--kubernetes', '--namespace', 'n', '--directory', 'd'], 'exclude each other'],
  [['--directory', 'd', '--lease', 'l'], '--lease goes with --kubernetes only'],
  [['--directory', 'd', '--metrics', '9090'], '--metrics 9090 is not HOST:PORT'],
  [['--directory', 'd', '--metrics', 'example.com:1'], 'is not HOST:PORT'],
  [['--directory', 'd', '--metrics', '127.0.0.1:70000'], 'is not HOST:PORT'],
  [['--dir', 'd'], "Unknown option '--dir'"],
  [['--directory', 'd', 'more'], "Unexpected argument 'more'"],
])('%j is refused', (args, message) => {
  expect(() => parseConfig(args)).toThrow(UsageError)
  expect(() => parseConfig(args)).toThrow(message)
})
