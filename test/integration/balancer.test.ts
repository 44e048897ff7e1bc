/**
 * The real balancer program in a world that breaks: what its command line, its report and its service show.
 * Alone: tables are written by hand. The system as a whole is tested elsewhere.
 */

import { execFile } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, unlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { eventually, startProcess } from '@sipcast/lab'
import { encodeTable } from '@sipcast/mapping'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { requires } from '../requires.ts'
import { LoneBalancer, MAIN, registerOf, Speaker } from './lone-balancer.ts'

const LATER = '2026-01-01T00:00:00.001Z'
const run = promisify(execFile)

let lone: LoneBalancer

beforeEach(async () => {
  lone = await LoneBalancer.create()
  await lone.writeKeys()
  await lone.publish()
})

afterEach(() => lone.stop())

/** Runs the program to its end. */
async function ended(...argv: readonly string[]) {
  return await run(process.execPath, [MAIN, ...argv]).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    ({ code, stdout, stderr }) => ({ code, stdout, stderr }),
  )
}

async function isServing(): Promise<void> {
  for (const proxy of [0, 1]) expect(await lone.register(lone.userOf(proxy))).toBe(proxy)
}

describe('the program', () => {
  test('serves users by their slots, says so at /readyz and /metrics, and ends in order with 0', async () => {
    const balancer = await lone.start()
    await lone.untilServing()
    await isServing()
    expect(await lone.page('/healthz')).toEqual({ status: 200, text: 'ok\n' })
    expect(await lone.page('/readyz')).toEqual({ status: 200, text: 'ok\n' })
    expect((await lone.page('/metrics')).text).toContain(
      'sipcast_balancer_verdicts_total{verdict="toOwner"} 2',
    )
    expect(await balancer.stop()).toEqual({ code: 0, signal: null })
    const report = await lone.directory.balancer('node-a')
    expect(report?.sipProxies).toEqual([])
  })

  test('ends in order while it still reads its last good tables', async () => {
    const copies = join(lone.directory.path, 'state', 'node-a')
    await mkdir(copies, { recursive: true })
    const text = JSON.stringify(Array.from({ length: 200_000 }, () => 0))
    for (let copy = 0; copy < 60; copy++) await writeFile(join(copies, `a.p${copy}.json`), text)
    const words = ['--directory', lone.directory.path, '--name', 'node-a', '--inside', lone.inside]
    const balancer = await startProcess({
      name: 'node-a',
      command: process.execPath,
      args: [MAIN, ...words, '--metrics', lone.metrics],
      ready: async ({ log }) => {
        await eventually('a page', () => log.tail(10).includes('"HttpListening"'))
      },
    })
    expect(balancer.log.tail(1_000)).not.toContain('"Started"')
    expect(await balancer.stop()).toEqual({ code: 0, signal: null })
  })

  test('ends with 2 and one line for wrong arguments, with 1 for a directory that is none', async () => {
    const wrong = await ended('--directory', lone.directory.path, '--name', 'a')
    expect(wrong).toMatchObject({ code: 2, stdout: '' })
    expect(wrong.stderr).toMatch(/^[^\n]*--inside[^\n]*missing[^\n]*\n$/)
    const nowhere = await ended('--directory', '/nowhere', '--name', 'a', '--inside', lone.inside)
    expect(nowhere).toMatchObject({ code: 1, stdout: '' })
    expect(nowhere.stderr).toMatch(/^[^\n]*\/nowhere[^\n]*\n$/)
  })

  test('explains a message from a file, and ends with 1 if it cannot be read', async () => {
    const file = join(lone.directory.path, 'register.sip')
    const user = lone.userOf(1)
    await writeFile(file, registerOf(user, 'call-1'))
    const explain = ['explain', '--directory', lone.directory.path]
    const { code, stdout } = await ended(...explain, '--json', file)
    expect(code).toBe(0)
    const { out, ...facts } = JSON.parse(stdout)
    expect(facts).toMatchObject({
      class: 'request',
      sipProxy: 'default/registrars',
      key: user,
      owner: 'registrar-1',
      backup: 'registrar-0',
      verdict: 'toOwner',
      target: `${lone.proxyAddresses[1]}:5060`,
    })
    expect(Buffer.from(out, 'base64').toString()).toContain('Path: <sip:')
    expect((await ended(...explain, file)).stdout).toContain('owner:    registrar-1')
    expect(await ended(...explain, `${file}.none`)).toMatchObject({ code: 1, stdout: '' })
  })
})

describe('tables that are wrong', () => {
  const cases: readonly [string, string, () => string][] = [
    ['cut off', 'TableNotJson', () => encodeTable(lone.table({ epoch: 2 })).slice(0, 500)],
    [
      'with a wrong checksum',
      'TableBadChecksum',
      () => encodeTable(lone.table({ epoch: 2 })).replace('"epoch":2', '"epoch":3'),
    ],
    ['of an epoch gone back', 'EpochBack', () => encodeTable(lone.table({ epoch: 0 }))],
    [
      'of another object, not younger',
      'ObjectNotLater',
      () => encodeTable(lone.table({ uid: 'uid-2', epoch: 9 })),
    ],
  ]
  test.each(cases)('%s are refused as %s; service goes on', async (_, reason, text) => {
    await lone.start()
    await lone.untilServing()
    await lone.writeTable(text())
    const sipProxy = await lone.reported(reason, ({ problems }) =>
      problems.some((problem) => problem.reason === reason),
    )
    expect(sipProxy.epoch).toBe(1)
    await isServing()
    await lone.publish({ uid: 'uid-3', objectCreated: LATER, epoch: 1 })
    await lone.reported(
      'the object made again',
      ({ uid, problems }) => uid === 'uid-3' && problems.length === 0,
    )
  })

  test('that vanish change nothing; removed ones end service', async () => {
    await lone.start()
    await lone.untilServing()
    await unlink(lone.tablePath)
    await lone.reported('TableVanished', ({ problems }) => problems[0]?.reason === 'TableVanished')
    await isServing()
    await lone.publish({ epoch: 2, removed: true })
    await eventually('no SipProxy', async () => {
      const report = await lone.directory.balancer('node-a')
      return report?.sipProxies.length === 0
    })
    const freed = await Speaker.open(lone.shared, 5060, false)
    freed.close()
  })
})

describe('without an operator', () => {
  test('a restart serves by the last good table', async () => {
    await lone.start()
    await lone.untilServing()
    await lone.process!.kill()
    await rm(join(lone.directory.path, 'tables'), { recursive: true })
    await lone.start()
    await lone.untilServing()
    await isServing()
  })

  test('a proxy that dies is found out, and its users go to the backup', async () => {
    await lone.start()
    await lone.untilServing()
    lone.proxies[0]!.close()
    const user = lone.userOf(0)
    // The first message is lost: its refusal starts the fast probe.
    lone.phone.send(registerOf(user, 'lost'), lone.shared)
    const startedMs = performance.now()
    await lone.reported('a dead mark', ({ deadMarks }) => deadMarks[0]?.id === 'registrar-0')
    expect(performance.now() - startedMs).toBeLessThan(1500)
    expect(await lone.register(user)).toBe(1)

    lone.proxies[0] = await Speaker.open(lone.proxyAddresses[0]!, 5060, true)
    await lone.reported('the mark lifted', ({ deadMarks }) => deadMarks.length === 0)
    expect(await lone.register(user)).toBe(0)
  })

  test('missing keys are waited for; vanished ones stay in use', async () => {
    const keys = join(lone.directory.path, 'keys.json')
    await unlink(keys)
    await lone.start()
    const waiting = await lone.reported('waiting for keys', ({ problems }) => problems.length > 0)
    expect(waiting).toMatchObject({ epoch: null, problems: [{ reason: 'SigningKeyUnknown' }] })
    expect(await lone.page('/readyz')).toMatchObject({ status: 503 })
    expect(lone.process!.log.matching(/KeysMissing/)).toHaveLength(1)
    await lone.writeKeys()
    await lone.untilServing()
    await unlink(keys)
    await eventually(
      'KeysMissing again',
      () => lone.process!.log.matching(/"KeysMissing"/).length === 2,
    )
    await isServing()
  })
})

describe('sockets that cannot be had', () => {
  test('a taken port is reported, tried again and served once it is free', async () => {
    const taker = createSocket('udp4').bind(5060, lone.shared)
    await once(taker, 'listening')
    await lone.start()
    const { problems } = await lone.reported(
      'PortInUse',
      ({ addresses }) => addresses[0]?.state === 'PortInUse',
    )
    expect(problems).toMatchObject([{ reason: 'PortInUse' }])
    expect(await lone.page('/readyz')).toMatchObject({ status: 503 })
    taker.close()
    await lone.untilServing()
    await isServing()
  })

  test('an absent address is reported and does not disturb the others', async () => {
    await lone.publish({ epoch: 2, addresses: ['192.0.2.99', lone.shared] })
    await lone.start()
    await lone.reported(
      'AddressAbsent',
      ({ epoch, addresses }) =>
        epoch === 2 && addresses[0]?.state === 'AddressAbsent' && addresses[1]?.state === 'Bound',
    )
    await isServing()
  })
})

describe('disks that fail', () => {
  test('a state directory that cannot be written is told once, and service goes on', async () => {
    const file = join(lone.directory.path, 'file')
    await writeFile(file, '')
    await lone.start('--state', join(file, 'state'))
    await lone.untilServing()
    await lone.publish({ epoch: 2 })
    await lone.untilServing(2)
    await isServing()
    expect(lone.process!.log.matching(/"StoreFailed".*cannot write/)).toHaveLength(1)
    expect((await lone.page('/metrics')).text).toMatch(
      /sipcast_balancer_store_failures_total\{store="last-good"\} [1-9]/,
    )
  })

  test.runIf(requires('mounts'))('a full or read-only disk stops nothing', async () => {
    const state = await mkdtemp(join(tmpdir(), 'sipcast-full-'))
    await run('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'none', state])
    try {
      await writeFile(join(state, 'filler'), Buffer.alloc(64 * 1024))
      await lone.start('--state', state)
      await lone.untilServing()
      expect(lone.process!.log.matching(/ENOSPC/)).toHaveLength(1)
      await run('mount', ['-o', 'remount,ro,size=1m', state])
      await lone.publish({ epoch: 2 })
      await lone.untilServing(2)
      await isServing()
      await run('mount', ['-o', 'remount,rw,size=1m', state])
      await lone.process!.log.until(/"StoreFailedMended"/)
    } finally {
      await lone.process?.kill()
      await run('umount', [state])
      await rm(state, { recursive: true })
    }
  })

  test('a directory that vanishes while it serves changes nothing', async () => {
    await lone.start()
    await lone.untilServing()
    await rm(lone.directory.path, { recursive: true })
    await lone.process!.log.until(/"StoreFailed"/)
    await isServing()
    await mkdir(lone.directory.path, { recursive: true })
    await lone.writeKeys()
    await lone.publish({ epoch: 2 })
    await lone.untilServing(2)
  })
})
