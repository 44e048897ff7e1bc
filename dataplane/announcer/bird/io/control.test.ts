/** Against a socket that plays back what BIRD once said, or misbehaves. The real one: test/integration/bird.test.ts. */
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { BirdErrorCode } from '../ports.ts'
import { BirdControl } from './control.ts'
import { ConfigurationFile } from './configuration-file.ts'

const GREETING = '0001 BIRD 2.0.12 ready.\n'
const TIMEOUT_MS = 200

let directory: string
let socketPath: string
let server: Server | null = null
let commands: string[]

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sipcast-bird-'))
  socketPath = join(directory, 'bird.ctl')
  commands = []
})
afterEach(() => {
  server?.close()
  server = null
  rmSync(directory, { recursive: true })
})

/** @param answer to a command; null: silence */
async function play(answer: (command: string, socket: Socket) => string | null): Promise<void> {
  server = createServer((socket) => {
    socket.write(GREETING)
    // Whoever asked may have gone by the time of the answer.
    socket.on('error', () => undefined)
    socket.on('data', (bytes) => {
      const command = String(bytes).trim()
      commands.push(command)
      const text = answer(command, socket)
      if (text !== null) socket.write(text)
    })
  })
  await once(server.listen(socketPath), 'listening')
}

function control(): BirdControl {
  return new BirdControl(socketPath, TIMEOUT_MS)
}

function recorded(name: string): string {
  return readFileSync(join(import.meta.dirname, '..', 'recorded', `${name}.txt`), 'utf8')
}

test('nobody is there', async () => {
  const asked = control().status()
  await expect(asked).rejects.toMatchObject({ code: BirdErrorCode.absent })
})

test('a reply that comes in pieces', async () => {
  await play((_, socket) => {
    const [first = '', ...rest] = recorded('status').split(/(?<=\n)/)
    socket.write(first)
    setTimeout(() => socket.write(rest.join('')), 20)
    return null
  })
  expect(await control().status()).toMatchObject({ version: '2.0.12', routerId: '192.0.2.1' })
})

test('without BFD there are sessions all the same', async () => {
  const noBfd = '9001 There is no BFD protocol running\n'
  await play((command) => (command === 'show bfd sessions' ? noBfd : recorded('protocols')))
  const sessions = await control().sessions()
  expect(sessions.map(({ bfd }) => bfd)).toEqual(['Off', 'Off', 'Off'])
})

test('BIRD is told to end', async () => {
  await play(() => '0007 Shutdown requested\n')
  await control().down()
  expect(commands).toEqual(['down'])
})

test('silence ends in time', async () => {
  await play(() => null)
  const begun = performance.now()
  await expect(control().status()).rejects.toMatchObject({ code: BirdErrorCode.silent })
  expect(performance.now() - begun).toBeLessThan(TIMEOUT_MS * 5)
})

test('half a reply and then the end', async () => {
  await play((_, socket) => {
    socket.end('1011-Router ID is')
    return null
  })
  await expect(control().status()).rejects.toMatchObject({ code: BirdErrorCode.absent })
})

test('an endless reply is cut off', async () => {
  await play((_, socket) => {
    const pour = () => {
      while (!socket.destroyed && socket.write(` ${'x'.repeat(65_536)}`));
    }
    socket.on('drain', pour)
    pour()
    return null
  })
  const patient = new BirdControl(socketPath, 10_000)
  await expect(patient.status()).rejects.toMatchObject({ code: BirdErrorCode.garbled })
})

test('a session that is down exports nothing', async () => {
  await play(() => '9001 No valid tables\n')
  expect(await control().routesTo('router-a')).toEqual([])
  expect(commands).toEqual(["show route export ':router-a'"])
})

describe('the configuration file', () => {
  const complaint = recorded('refused')
  const words = 'line 1:10 syntax error, unexpected CF_SYM_UNDEFINED'
  let path: string
  let file: ConfigurationFile

  beforeEach(() => {
    path = join(directory, 'etc', 'bird.conf')
    file = new ConfigurationFile(path, control())
  })

  const leftovers = () => ['candidate', 'next'].filter((suffix) => existsSync(`${path}.${suffix}`))

  test('is made for a BIRD that has none, readable for its group only', async () => {
    await file.prepare('# first\n')
    await file.prepare('# second\n')
    expect(await file.read()).toBe('# first\n')
    expect(statSync(path).mode & 0o777).toBe(0o640)
  })

  test('is checked, swapped and taken up', async () => {
    const seen: string[] = []
    await play((command) => {
      seen.push(readFileSync(/"(.*)"/.exec(command)?.[1] ?? '', 'utf8'))
      return command.includes('check') ? '0020 Configuration OK\n' : '0003 Reconfigured\n'
    })
    await file.prepare('# first\n')
    await file.apply('# second\n')
    expect(commands).toEqual([`configure check "${path}.candidate"`, `configure "${path}"`])
    expect(seen).toEqual(['# second\n', '# second\n'])
    expect(leftovers()).toEqual([])
  })

  test('stays as it was where BIRD refuses, and its words are passed on, without the path', async () => {
    await play((command) =>
      complaint.replaceAll('/run/sipcast/bird.conf.candidate', /"(.*)"/.exec(command)?.[1] ?? ''),
    )
    await file.prepare('# good\n')
    await expect(file.apply('protocol x {\n')).rejects.toMatchObject({
      code: BirdErrorCode.refused,
      message: words,
    })
    expect(await file.read()).toBe('# good\n')
    expect(commands).toHaveLength(1)
    expect(leftovers()).toEqual([])
  })

  test('comes back where BIRD refuses it after all', async () => {
    await play((command) => (command.includes('check') ? '0020 OK\n' : `8002 ${path}:1:1 no\n`))
    await file.prepare('# good\n')
    await expect(file.apply('# bad\n')).rejects.toMatchObject({ code: BirdErrorCode.refused })
    expect(await file.read()).toBe('# good\n')
  })

  test('is untouched while BIRD is away', async () => {
    await file.prepare('# good\n')
    await expect(file.apply('# new\n')).rejects.toMatchObject({ code: BirdErrorCode.absent })
    expect(await file.read()).toBe('# good\n')
    expect(leftovers()).toEqual([])
  })

  test('an unfinished one of a predecessor is no obstacle', async () => {
    await file.prepare('# good\n')
    writeFileSync(`${path}.candidate`, 'half')
    await play((command) => (command.includes('check') ? '0020 OK\n' : '0003 Reconfigured\n'))
    await file.apply('# new\n')
    expect(await file.read()).toBe('# new\n')
  })
})
