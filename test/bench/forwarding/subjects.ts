/**
 * The programs that the forwarding benchmark compares: how each is started, and which recording it is fed.
 * Not here: measuring them (run.ts). Invariant: one runs at a time; `stop` returns when all its processes are gone.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { execPath } from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import { calls, kamailioRelay, sipcastRelay } from './calls.ts'
import { PacketPath } from './packet-path.ts'
import { recordingOf } from './recording.ts'
import { MEMBERS, SHARED, SINK } from './setting.ts'

export interface Subject {
  readonly name: string
  readonly command: readonly string[]
  readonly recording: string
}

export interface Running {
  /** Every process of it. */
  readonly pids: readonly string[]
  stop(): Promise<void>
}

const START_MS = 10_000

/** Compiles, records and configures in `folder`. */
export function prepareSubjects(folder: string): {
  readonly traffic: string
  readonly subjects: Subject[]
} {
  const own = calls(sipcastRelay(new PacketPath()))
  const recordings = {
    // The same bytes, all to the one socket that the bare forwarders have.
    bare: record(
      folder,
      'bare',
      own.map((datagram) => ({ ...datagram, to: SHARED })),
    ),
    sipcast: record(folder, 'sipcast', own),
    kamailio: record(folder, 'kamailio', calls(kamailioRelay)),
  }
  const bare = [...SHARED.split(':'), ...SINK.split(':')]
  const here = (name: string): string => join(import.meta.dirname, name)
  const subjects: Subject[] = [
    {
      name: 'C',
      command: [compile(folder, 'forwarder'), ...bare],
      recording: recordings.bare,
    },
    {
      name: 'bare TypeScript',
      command: [execPath, here('forwarder.ts'), ...bare],
      recording: recordings.bare,
    },
    { name: 'sipcast', command: [execPath, here('balancer.ts')], recording: recordings.sipcast },
  ]
  for (const [name, isRoutingBack] of [
    ['Kamailio dispatcher', false],
    ['Kamailio, routing back', true],
  ] as const) {
    const command = kamailio(folder, here('kamailio.cfg'), isRoutingBack)
    if (command !== null) subjects.push({ name, command, recording: recordings.kamailio })
  }
  return { traffic: compile(folder, 'traffic'), subjects }
}

/** Starts it in a process group of its own; returns when it serves. */
export async function start({ name, command }: Subject): Promise<Running> {
  const child = spawn(command[0]!, command.slice(1), {
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  })
  await (name.startsWith('Kamailio') ? isListening(child) : saysReady(child, name))
  return {
    pids: processesOf(child.pid!),
    async stop() {
      if (processesOf(child.pid!).length > 0) process.kill(-child.pid!, 'SIGKILL')
      while (processesOf(child.pid!).length > 0) await sleep(20)
    },
  }
}

function kamailio(folder: string, config: string, isRoutingBack: boolean): string[] | null {
  try {
    execFileSync('kamailio', ['-v'], { stdio: 'ignore' })
  } catch {
    // Not installed: compared with less.
    return null
  }
  const destinations = join(folder, 'dispatcher.list')
  writeFileSync(destinations, MEMBERS.map((member) => `1 sip:${member}\n`).join(''))
  const name = isRoutingBack ? 'routing-back' : 'dispatcher'
  const files = ['-Y', folder, '-P', join(folder, `${name}.pid`), '-f', config]
  const defines = [`LISTEN=udp:${SHARED}`, `DESTINATIONS="${destinations}"`]
  if (isRoutingBack) defines.push('ROUTE_BACK')
  return ['kamailio', '-DD', '-E', ...files, ...defines.flatMap((define) => ['-A', define])]
}

async function saysReady(child: ChildProcess, name: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    child.stdout!.once('data', () => resolve())
    child.once('exit', (code) => reject(new Error(`${name} ended with ${code}`)))
  })
}

/** By the kernel's list of sockets: Kamailio says nothing when it is up. */
async function isListening(child: ChildProcess): Promise<void> {
  const [a, b, c, d, port] = SHARED.split(/[.:]/).map(Number) as [
    number,
    number,
    number,
    number,
    number,
  ]
  const hex = (value: number, length: number): string =>
    value.toString(16).toUpperCase().padStart(length, '0')
  const local = `${[d, c, b, a].map((byte) => hex(byte, 2)).join('')}:${hex(port, 4)}`
  const until = Date.now() + START_MS
  while (!readFileSync('/proc/net/udp', 'latin1').includes(` ${local} `)) {
    if (Date.now() > until || child.exitCode !== null) throw new Error('Kamailio does not listen')
    await sleep(50)
  }
  await sleep(500)
}

function processesOf(group: number): string[] {
  return readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid)) return false
    try {
      const line = readFileSync(`/proc/${pid}/stat`, 'latin1')
      const [state, , itsGroup] = line.slice(line.lastIndexOf(')') + 2).split(' ')
      return itsGroup === `${group}` && state !== 'Z'
    } catch {
      // Ended in the meantime.
      return false
    }
  })
}

function compile(folder: string, name: string): string {
  const binary = join(folder, name)
  const source = join(import.meta.dirname, `${name}.c`)
  execFileSync('cc', ['-O2', '-Wall', '-pthread', '-o', binary, source])
  return binary
}

function record(
  folder: string,
  name: string,
  datagrams: Parameters<typeof recordingOf>[0],
): string {
  const path = join(folder, `${name}.recording`)
  writeFileSync(path, recordingOf(datagrams))
  return path
}
