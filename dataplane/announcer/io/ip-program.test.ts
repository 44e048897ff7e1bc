import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { IP_TIMEOUT_MS } from '../limits.ts'
import { IpProgram } from './ip-program.ts'

const LINES = ['address add …']
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sipcast-ip-'))
})

afterAll(() => rm(folder, { recursive: true }))

async function program(name: string, script: string): Promise<IpProgram> {
  const path = join(folder, name)
  await writeFile(path, `#!/bin/sh\n${script}\n`)
  await chmod(path, 0o755)
  return new IpProgram(path)
}

it('what hangs is killed in time, whatever it has started', async () => {
  const hanging = await program('hanging', 'sleep 5')
  const startMs = performance.now()
  await expect(hanging.list()).rejects.toThrow(/killed after/)
  expect(await hanging.apply(LINES)).toMatch(/killed after/)
  expect(performance.now() - startMs).toBeLessThan(2 * IP_TIMEOUT_MS + 1_000)
})

it('no program, no rights and no JSON are said in words', async () => {
  await expect(new IpProgram('/no/ip').list()).rejects.toThrow(/cannot run \/no\/ip: .*ENOENT/)
  await expect((await program('foreign', 'echo hello')).list()).rejects.toThrow(/no JSON/)
  const refused = await program('refused', 'echo "Operation not permitted" >&2; exit 2')
  await expect(refused.list()).rejects.toThrow(/exit code 2: Operation not permitted/)
  expect(await refused.apply(LINES)).toMatch(/exit code 2: Operation not permitted/)
})

it('a program that reads nothing is no crash', async () => {
  const silent = await program('silent', 'exit 0')
  const many = Array.from({ length: 10_000 }, () => LINES[0]!)
  expect(await silent.apply(many)).toBeNull()
})
