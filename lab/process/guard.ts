/**
 * The lab's dead-man's switch: a shell that reads, through a pipe, what the lab has started, and ends it when the pipe
 * closes. Signal handlers would not do: they miss SIGKILL, and a test runner kills its workers so.
 * Invariant: the guard never keeps this process alive, and lives no longer than it does.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

export const guard = {
  watchGroup: (pid: number): void => tell(`group ${pid}`),
  forgetGroup: (pid: number): void => tell(`forget ${pid}`),
  /** Only one made by `LabDirectory.create`; the shell looks at its name. */
  watchDirectory: (path: string): void => tell(`directory ${path}`),
  watchNamespace: (name: string): void => tell(`netns ${name}`),
}

/** Started with the first thing worth guarding. */
let shell: ChildProcess | null = null

function tell(line: string): void {
  shell ??= startShell()
  shell.stdin?.write(`${line}\n`)
}

function startShell(): ChildProcess {
  const script = fileURLToPath(new URL('guard.sh', import.meta.url))
  const child = spawn('/bin/sh', [script], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] })
  child.unref()
  // A pipe's handle counts on its own; the type of stdin does not show that it is a socket.
  ;(child.stdin as unknown as { unref(): void }).unref()
  return child
}
