import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { ProcessError, startProcess } from './process.ts'

const shell = (script: string) => ({ name: 'sh', command: '/bin/sh', args: ['-c', script] })

test('a process is ready when its condition is met and stops with the code it chose', async () => {
  const child = await startProcess({
    ...shell('trap "exit 7" TERM; echo up; while :; do sleep 0.05; done'),
    ready: async (process) => void (await process.log.until(/^up$/)),
  })
  expect(child.running).toBe(true)
  expect(await child.stop()).toEqual({ code: 7, signal: null })
  expect(child.running).toBe(false)
})

test('one that ends before it is ready fails the start and shows what it printed', async () => {
  const start = startProcess({
    ...shell('echo no such config >&2; exit 3'),
    ready: () => new Promise(() => {}),
  })
  await expect(start).rejects.toThrow(/ended \(3\).*\n.*no such config/)
})

test('a program that is not there is a typed error', async () => {
  const start = startProcess({ name: 'none', command: '/nonexistent', args: [] })
  await expect(start).rejects.toBeInstanceOf(ProcessError)
})

test('one that ignores SIGTERM is killed after the grace time, with its children', async () => {
  const child = await startProcess({
    ...shell('trap "" TERM; sleep 60 & echo $!; wait; sleep 60'),
    ready: async (process) => void (await process.log.until(/^\d+$/)),
  })
  const grandchild = Number(child.log.lines[0])
  expect((await child.stop(50)).signal).toBe('SIGKILL')
  await until(() => !isAlive(grandchild))
})

test('freezing stops the whole group and thawing lets it go on', async () => {
  const child = await startProcess(shell('(while :; do echo tick; sleep 0.02; done) & wait'))
  await child.log.until(/tick/)
  child.freeze()
  await sleep(60)
  const before = child.log.lines.length
  await sleep(150)
  expect(child.log.lines.length).toBe(before)
  child.thaw()
  await until(() => child.log.lines.length > before)
  await child.kill()
})

test('what was started ends even if its starter is killed outright', async () => {
  const module = new URL('process.ts', import.meta.url).href
  const script = `const { startProcess } = await import('${module}')
    const child = await startProcess({ name: 'x', command: 'sleep', args: ['60'] })
    console.log(child.pid); setInterval(() => {}, 1000)`
  const starter = spawn(process.execPath, ['--input-type=module', '-e', script])
  const [output] = await once(starter.stdout, 'data')
  const orphan = Number(String(output))
  expect(isAlive(orphan)).toBe(true)
  starter.kill('SIGKILL')
  await until(() => !isAlive(orphan))
})

/** A zombie counts as gone: who reaps it is not our business. */
function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    // No such process.
    return false
  }
}

async function until(condition: () => boolean): Promise<void> {
  for (let tries = 0; tries < 200 && !condition(); tries++) await sleep(20)
  expect(condition()).toBe(true)
}
