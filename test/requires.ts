/**
 * What a suite needs from the machine it runs on: outside programs, IPv6, network namespaces, a Kubernetes cluster.
 *
 *   describe.runIf(requires('kamailio', 'sipp'))('calls through a real proxy', () => { … })
 *
 * Where something is missing, the suite is not run and a line says so loudly (twice: here and at the end, by
 * not-run-reporter.ts); where CI=true, it fails instead. Not here: versions, and installing anything.
 */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import { delimiter, join } from 'node:path'

/** Begins each line that tells of a suite not run. */
export const NOT_RUN = '*** NOT RUN ***'

interface Need {
  readonly isMet: () => boolean
  /** What a developer does about it. */
  readonly remedy: string
}

const needs = {
  kamailio: {
    isMet: () => isInstalled('kamailio'),
    remedy: 'apt-get install kamailio kamailio-extra-modules kamailio-outbound-modules',
  },
  sipp: { isMet: () => isInstalled('sipp'), remedy: 'apt-get install sip-tester' },
  bird: { isMet: () => isInstalled('bird'), remedy: 'apt-get install bird2' },
  frr: {
    isMet: () => isInstalled('vtysh'),
    remedy: 'apt-get install --no-install-recommends frr; systemctl disable --now frr',
  },
  cc: { isMet: () => isInstalled('cc'), remedy: 'apt-get install gcc libc6-dev' },
  tcpdump: { isMet: () => isInstalled('tcpdump'), remedy: 'apt-get install tcpdump' },
  nftables: { isMet: () => isInstalled('nft'), remedy: 'apt-get install nftables' },
  ipv6: { isMet: hasIPv6, remedy: 'give the loopback interface ::1' },
  'network-namespaces': {
    isMet: () => isInstalled('ip') && mayUnshare('--net'),
    remedy: 'run as root, with iproute2 and util-linux',
  },
  helm: { isMet: () => isInstalled('helm'), remedy: 'https://helm.sh/docs/intro/install/' },
  kubernetes: {
    isMet: () => process.env['SIPCAST_TEST_KUBECONFIG'] !== undefined && isInstalled('kubectl'),
    remedy: 'npm run test:cluster, or a kubeconfig in SIPCAST_TEST_KUBECONFIG, and kubectl',
  },
  'kubernetes-cluster': {
    isMet: () => existsSync(process.env['SIPCAST_TEST_KUBECONFIG'] ?? ''),
    remedy: 'npm run test:cluster, or SIPCAST_TEST_KUBECONFIG=FILE of a cluster for tests',
  },
  mounts: { isMet: () => mayUnshare('--mount'), remedy: 'run as root, with util-linux' },
} satisfies Readonly<Record<string, Need>>

/** One that is known here, or what the suite itself found to be missing, in words; null = nothing. */
type Requirement = keyof typeof needs | { readonly missing: string | null }

/** Whether all of it is here. @throws where CI=true and it is not */
export function requires(...requirements: readonly Requirement[]): boolean {
  const missing = requirements.map(missingOf).filter((words) => words !== null)
  if (missing.length === 0) return true
  const line = `${NOT_RUN} needs ${missing.join(', ')}`
  if (process.env['CI'] === 'true') throw new Error(`${line}; where CI=true everything runs`)
  console.warn(line)
  return false
}

function missingOf(requirement: Requirement): string | null {
  if (typeof requirement === 'object') return requirement.missing
  const { isMet, remedy } = needs[requirement]
  return isMet() ? null : `${requirement} (${remedy})`
}

function mayUnshare(option: string): boolean {
  return spawnSync('unshare', [option, 'true']).status === 0
}

function isInstalled(command: string): boolean {
  const path = (process.env['PATH'] ?? '').split(delimiter)
  const places = [...path, '/usr/sbin', '/usr/local/sbin', '/sbin']
  return places.some((place) => existsSync(join(place, command)))
}

function hasIPv6(): boolean {
  const addresses = Object.values(networkInterfaces()).flatMap((all) => all ?? [])
  return addresses.some(({ address }) => address === '::1')
}
