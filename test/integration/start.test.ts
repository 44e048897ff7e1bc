/** `npm start -- --for N` as somebody runs it: with either kind of registrar, to its end, and broken off. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { requires } from '../requires.ts'

const MAIN = fileURLToPath(new URL('../../lab/main.ts', import.meta.url))

describe.each([
  { kind: 'reference', isHere: true },
  { kind: 'kamailio', isHere: requires('kamailio') },
])('$kind', ({ kind, isHere }) => {
  test.runIf(isHere)('fails over, comes back, and says so', async () => {
    const lab = start('--for', '12', '--phones', '6', '--registrar', kind)
    const [code] = await once(lab.child, 'close')
    const summary = JSON.parse(lab.output().trimEnd().split('\n').at(-1) ?? '')
    expect(summary, lab.output()).toMatchObject({ seconds: 12, unreachablePhones: 0 })
    expect(summary.callsTried).toBeGreaterThan(20)
    expect(summary.callsFailed).toBeLessThan(summary.callsTried / 2)
    expect(summary.usersMoved).toBeGreaterThan(0)
    expect(summary.failoverMs).toHaveLength(2)
    expect(code).toBe(0)
    await expect.poll(() => descendants(lab.child), { timeout: 5_000 }).toEqual([])
  })
})

test('broken off by SIGTERM, it tidies up and ends in order', async () => {
  const lab = start('--for', '60', '--phones', '2', '--registrar', 'reference')
  await lab.until(/calls 0/)
  lab.child.kill('SIGTERM')
  const [code] = await once(lab.child, 'close')
  expect(code).toBe(0)
  await expect.poll(() => descendants(lab.child), { timeout: 5_000 }).toEqual([])
})

test('killed outright, it still leaves nothing behind', async () => {
  const lab = start('--for', '60', '--phones', '2', '--registrar', 'reference')
  await lab.until(/calls 0/)
  expect((await descendants(lab.child)).length).toBeGreaterThan(5)
  lab.child.kill('SIGKILL')
  await expect.poll(() => descendants(lab.child), { timeout: 5_000 }).toEqual([])
})

test.each([[['--for', 'ever']], [['--registrar', 'asterisk']], [['--unknown']]])(
  'a usage error is one line and exit code 2: %j',
  async (args) => {
    const lab = start(...args)
    const [code] = await once(lab.child, 'close')
    expect(code).toBe(2)
    expect(lab.output().trimEnd().split('\n')).toHaveLength(1)
  },
)

function start(...args: string[]) {
  // The mark is inherited by everything it starts, however deep.
  const mark = `${process.pid}-${Math.random()}`
  const child = spawn(process.execPath, [MAIN, ...args], { env: { ...process.env, [MARK]: mark } })
  marks.set(child, mark)
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => (output += chunk))
  }
  const until = (pattern: RegExp) => expect.poll(() => output, { timeout: 20_000 }).toMatch(pattern)
  return { child, output: () => output, until }
}

const MARK = 'SIPCAST_TEST_MARK'
const marks = new Map<ChildProcess, string>()

/** The processes that carry its mark, itself apart. */
async function descendants(child: ChildProcess): Promise<string[]> {
  const pids = (await readdir('/proc')).filter(
    (name) => /^\d+$/.test(name) && Number(name) !== child.pid,
  )
  const found = await Promise.all(
    pids.map(async (pid) => {
      const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '')
      return environment.includes(`${MARK}=${marks.get(child)}`) ? pid : null
    }),
  )
  return found.filter((pid) => pid !== null)
}
