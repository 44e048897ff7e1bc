/**
 * How long after its last renewal the kernel removes an address whose lifetime is 2 s: what the dead-man's switch of
 * design section 5.7 rests on. IPv4 and IPv6 have code of their own for it, and both wait at least a second after
 * they have looked through all addresses for whatever reason, so what else happens on the node counts.
 * Needs root. `node test/bench/address-lifetimes.ts [rounds]`
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { Namespace, type Process, startProcess } from '@sipcast/lab'

const LIFETIME_SECONDS = 2
const RENEW_MS = 600
const RENEWALS = 3
const HELD_SECONDS = 10
const LINKS = { copies: 'copies', held: 'held', strangers: 'strangers' } as const

type Family = 'ipv4' | 'ipv6'

interface Case {
  readonly name: string
  readonly copies: number
  /** Another copy is renewed all the while. */
  readonly hasSurvivor?: boolean
  /** A second copy with a lifetime of 10 s, renewed with the first. */
  readonly isHeld?: boolean
  /** Between two changes of addresses by somebody else, at most. */
  readonly disturbedEveryMs?: number
}

const cases: readonly Case[] = [
  { name: 'alone', copies: 1 },
  { name: 'held as well', copies: 1, isHeld: true },
  { name: '64 at once', copies: 64 },
  { name: 'beside one that is renewed', copies: 1, hasSurvivor: true },
  { name: 'another address comes or goes every 0–1 s', copies: 1, disturbedEveryMs: 1_000 },
  { name: 'another address comes or goes every 0–10 s', copies: 1, disturbedEveryMs: 10_000 },
]

const rounds = Number(process.argv[2] ?? 20)
console.log(`ms from the last renewal to the removal of all, ${rounds} rounds: min, median, max\n`)
const measured = await Promise.all(cases.map(measureCase))
for (const line of measured.flat()) console.log(line)

async function measureCase(one: Case, index: number): Promise<readonly string[]> {
  const namespace = await Namespace.create(`sl${process.pid}-${index}`)
  const monitor = await startProcess({
    name: 'monitor',
    command: 'ip',
    args: ['-n', namespace.name, 'monitor', 'address'],
  })
  try {
    for (const link of Object.values(LINKS)) {
      await namespace.ip(`link add ${link} type bridge`)
      await namespace.ip(`link set ${link} up`)
    }
    const end = new AbortController()
    const around = [disturb(namespace, one, end.signal), keepSurvivor(namespace, one, end.signal)]
    const lines: string[] = []
    for (const family of ['ipv4', 'ipv6'] as const) {
      const times: number[] = []
      for (let round = 0; round < rounds; round++) {
        await sleep(Math.random() * 1_000)
        times.push(await lapse({ namespace, monitor, one, family, round }))
      }
      lines.push(`${family}, ${one.name}: ${summary(times)}`)
    }
    end.abort()
    await Promise.all(around)
    return lines
  } finally {
    await monitor.kill()
    await namespace.delete()
  }
}

interface Round {
  readonly namespace: Namespace
  readonly monitor: Process
  readonly one: Case
  readonly family: Family
  readonly round: number
}

async function lapse({ namespace, monitor, one, family, round }: Round): Promise<number> {
  const numbers = Array.from({ length: one.copies }, (_, index) => 1 + index)
  // Other addresses each time: what the monitor prints is looked for from the beginning.
  const copies = numbers.map((number) => addressOf(family, 1 + round, number))
  const lines = copies.map((copy) => replace(copy, LINKS.copies, LIFETIME_SECONDS))
  if (one.isHeld === true)
    lines.push(...copies.map((copy) => replace(copy, LINKS.held, HELD_SECONDS)))
  let renewedMs = 0
  for (let renewal = 0; renewal <= RENEWALS; renewal++) {
    if (renewal > 0) await sleep(RENEW_MS)
    renewedMs = performance.now()
    await batch(namespace, lines)
  }
  for (const copy of copies) {
    const gone = new RegExp(`^Deleted .* ${LINKS.copies} .* ${copy.replaceAll('.', '\\.')}[/ ]`)
    await monitor.log.until(gone)
  }
  const lapsedMs = performance.now() - renewedMs
  // Their own end would disturb the next round.
  if (one.isHeld === true) await namespace.ip(`addr flush dev ${LINKS.held} scope global`)
  return lapsedMs
}

async function keepSurvivor(namespace: Namespace, one: Case, end: AbortSignal): Promise<void> {
  while (one.hasSurvivor === true && !end.aborted) {
    const both = (['ipv4', 'ipv6'] as const).map((family) => addressOf(family, 0, 1))
    await batch(
      namespace,
      both.map((copy) => replace(copy, LINKS.copies, LIFETIME_SECONDS)),
    )
    await sleep(RENEW_MS)
  }
}

async function disturb(namespace: Namespace, one: Case, end: AbortSignal): Promise<void> {
  for (let turn = 0; one.disturbedEveryMs !== undefined && !end.aborted; turn++) {
    const both = (['ipv4', 'ipv6'] as const).map((family) => addressOf(family, 0, 2))
    const change = (copy: string) =>
      turn % 2 === 0
        ? replace(copy, LINKS.strangers, HELD_SECONDS * 1_000)
        : `addr del ${copy}/${lengthOf(copy)} dev ${LINKS.strangers}`
    await batch(namespace, both.map(change))
    await sleep(Math.random() * one.disturbedEveryMs)
  }
}

function addressOf(family: Family, network: number, host: number): string {
  return family === 'ipv4'
    ? `198.19.${network}.${host}`
    : `2001:db8:${network}::${host.toString(16)}`
}

function replace(copy: string, link: string, seconds: number): string {
  const nodad = copy.includes(':') ? ' nodad' : ''
  return `addr replace ${copy}/${lengthOf(copy)} dev ${link}${nodad} valid_lft ${seconds} preferred_lft 0`
}

function lengthOf(address: string): number {
  return address.includes(':') ? 128 : 32
}

async function batch(namespace: Namespace, lines: readonly string[]): Promise<void> {
  const child = spawn('ip', ['-n', namespace.name, '-batch', '-'], {
    stdio: ['pipe', 'ignore', 'inherit'],
  })
  child.stdin.end(lines.map((line) => `${line}\n`).join(''))
  const [code] = await once(child, 'close')
  if (code !== 0) throw new Error(`ip ended with ${code}`)
}

function summary(times: readonly number[]): string {
  const sorted = times.map(Math.round).toSorted((a, b) => a - b)
  return `${sorted[0]}, ${sorted[sorted.length >> 1]}, ${sorted.at(-1)}`
}
