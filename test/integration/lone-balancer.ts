/**
 * One real balancer alone: no operator, tables and keys written by hand, two proxies that are sockets of ours
 * and answer every probe, and a phone that is another. Not here: what is tested. Invariant: `stop` leaves no
 * process, socket or file behind.
 */

import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { BalancedSipProxy, SipBalancerStatus } from '@sipcast/crds'
import {
  eventually,
  freePort,
  LabDirectory,
  LoopbackBlock,
  type Process,
  startProcess,
} from '@sipcast/lab'
import {
  assign,
  encodeTable,
  type Member,
  SlotHash,
  slotOf,
  type TableContent,
} from '@sipcast/mapping'
import { PLAIN_TABLE, START } from './plain-table.ts'

export const MAIN: string = fileURLToPath(new URL('../../dataplane/main.ts', import.meta.url))
const NAME = 'node-a'
const { name: SIP_PROXY, port: PORT, seed: SEED, signingKey: KEY_ID } = PLAIN_TABLE
const SLOTS = 256

/** A socket that keeps what it got, and answers OPTIONS if it plays a proxy. */
export class Speaker {
  readonly received: string[] = []
  readonly #socket: Socket

  static async open(address: string, port: number, isProxy: boolean): Promise<Speaker> {
    const socket = createSocket('udp4')
    socket.bind(port, address)
    await once(socket, 'listening')
    return new Speaker(socket, isProxy)
  }

  constructor(socket: Socket, isProxy: boolean) {
    this.#socket = socket
    socket.on('message', (datagram, { address, port }) => {
      const text = datagram.toString('latin1')
      if (!isProxy || !text.startsWith('OPTIONS ')) this.received.push(text)
      else socket.send(text.replace(/^.*\r\n/, 'SIP/2.0 200 OK\r\n'), port, address)
    })
  }

  send(text: string, address: string, port: number = PORT): void {
    this.#socket.send(text, port, address)
  }

  close(): void {
    this.#socket.close()
  }
}

export class LoneBalancer {
  readonly directory: LabDirectory
  readonly block: LoopbackBlock
  readonly shared: string
  readonly inside: string
  readonly proxyAddresses: readonly string[]
  readonly proxies: Speaker[] = []
  readonly metrics: string
  phone!: Speaker
  process: Process | null = null

  static async create(): Promise<LoneBalancer> {
    const block = await LoopbackBlock.claim()
    const metrics = `127.0.0.1:${await freePort('127.0.0.1')}`
    const lone = new LoneBalancer(await LabDirectory.create(), block, metrics)
    for (const address of lone.proxyAddresses) {
      lone.proxies.push(await Speaker.open(address, PORT, true))
    }
    lone.phone = await Speaker.open(block.next(), PORT, false)
    return lone
  }

  constructor(directory: LabDirectory, block: LoopbackBlock, metrics: string) {
    this.directory = directory
    this.block = block
    this.metrics = metrics
    this.shared = block.next()
    this.inside = block.next()
    this.proxyAddresses = [block.next(), block.next()]
  }

  /** Starts the program; ready when it has written a report. */
  async start(...more: readonly string[]): Promise<Process> {
    const { directory, inside, metrics } = this
    const startedMs = Date.now()
    const isReported = async (): Promise<boolean> => {
      const report = await directory.balancer(NAME)
      return report !== null && Date.parse(report.heartbeatAt) >= startedMs
    }
    const words = ['--directory', directory.path, '--name', NAME, '--inside', inside]
    this.process = await startProcess({
      name: NAME,
      command: process.execPath,
      args: [MAIN, ...words, '--metrics', metrics, '--workers', '2', ...more],
      ready: () => eventually('a report', isReported).then(() => undefined),
    })
    return this.process
  }

  async stop(): Promise<void> {
    await this.process?.kill()
    for (const speaker of [...this.proxies, this.phone]) speaker.close()
    this.block.release()
    await this.directory.remove()
  }

  async writeKeys(): Promise<void> {
    const keys = [{ id: KEY_ID, secret: '00112233445566778899aabbccddeeff', created: START }]
    await writeFile(join(this.directory.path, 'keys.json'), JSON.stringify({ keys }))
  }

  async publish(change: Partial<TableContent> = {}): Promise<void> {
    await this.writeTable(encodeTable(this.table(change)))
  }

  /** Whatever it is: for broken ones. */
  async writeTable(text: string): Promise<void> {
    const path = this.tablePath
    await mkdir(join(path, '..'), { recursive: true })
    await writeFile(`${path}.new`, text)
    await rename(`${path}.new`, path)
  }

  get tablePath(): string {
    return join(this.directory.path, 'tables', `default.${SIP_PROXY}.json`)
  }

  table(change: Partial<TableContent> = {}): TableContent {
    const members = this.proxyAddresses.map((address, index): Member => {
      const id = `registrar-${index}`
      const place = { address, port: PORT, hostAddresses: [] }
      return { id, name: id, ...place, weight: 1, state: 'Up', since: START }
    })
    return {
      ...PLAIN_TABLE,
      epoch: 1,
      slots: SLOTS,
      addresses: [this.shared],
      members,
      ...assign({
        slotCount: SLOTS,
        last: null,
        members: members.map(({ id, weight }) => ({ id, weight, role: 'eligible' })),
        budgetSlots: SLOTS,
      }),
      ...change,
    }
  }

  /** Asks the report until it is so. */
  async reported(
    wanted: string,
    isSo: (sipProxy: BalancedSipProxy, report: SipBalancerStatus) => boolean,
  ): Promise<BalancedSipProxy> {
    return await eventually(wanted, async () => {
      const report = await this.directory.balancer(NAME)
      const sipProxy = report?.sipProxies.find(({ name }) => name === SIP_PROXY)
      return sipProxy !== undefined && report !== null && isSo(sipProxy, report) && sipProxy
    })
  }

  async untilServing(epoch = 1): Promise<void> {
    await this.reported(`epoch ${epoch} in use, bound`, (sipProxy) => {
      const { addresses } = sipProxy
      return sipProxy.epoch === epoch && addresses.every(({ state }) => state === 'Bound')
    })
  }

  /** A user whose owner is this proxy. */
  userOf(proxy: number): string {
    const { owners } = this.table()
    const hash = new SlotHash(SEED)
    for (let number = 0; ; number++) {
      const user = Buffer.from(`user-${number}`)
      if (owners[slotOf(hash.hash(user, 0, user.length), SLOTS)] === proxy) return `user-${number}`
    }
  }

  /** Sends a REGISTER of this user and waits until a proxy got it; the proxy's index. */
  async register(user: string): Promise<number> {
    const callId = `${user}-${Math.random()}`
    this.phone.send(registerOf(user, callId), this.shared)
    const isOurs = (text: string): boolean => text.includes(callId)
    return await eventually(`the REGISTER of ${user}`, () => {
      const index = this.proxies.findIndex(({ received }) => received.some(isOurs))
      return index < 0 ? null : { index }
    }).then(({ index }) => index)
  }

  async page(path: string): Promise<{ readonly status: number; readonly text: string }> {
    const response = await fetch(`http://${this.metrics}${path}`)
    return { status: response.status, text: await response.text() }
  }
}

export function registerOf(user: string, callId: string): string {
  return [
    'REGISTER sip:sipcast.test SIP/2.0',
    'Via: SIP/2.0/UDP 192.168.1.5:5060;branch=z9hG4bKone;rport',
    'Max-Forwards: 70',
    `From: <sip:${user}@sipcast.test>;tag=a`,
    `To: <sip:${user}@sipcast.test>`,
    `Call-ID: ${callId}`,
    'CSeq: 1 REGISTER',
    `Contact: <sip:${user}@192.168.1.5>`,
    'Content-Length: 0',
    '',
    '',
  ].join('\r\n')
}
