/**
 * The file that BIRD starts with and is reconfigured from. Not here: what it says (`render.ts`). Invariants: the file
 * is only ever replaced whole, and by a text that BIRD has found good, so that a BIRD that restarts comes back with the
 * last good one; where BIRD refuses a text, the last good one stays in use and BIRD's own words are passed on.
 */

import { mkdir, open, readFile, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { BirdError, BirdErrorCode, type ConfigurationStore } from '../ports.ts'
import type { BirdControl } from './control.ts'

/** Passwords are in it: for its owner and its group, which BIRD's user is in. */
const MODE = 0o640

export class ConfigurationFile implements ConfigurationStore {
  readonly #path: string
  readonly #control: BirdControl

  constructor(path: string, control: BirdControl) {
    this.#path = path
    this.#control = control
  }

  /** Writes the text that a BIRD without a file starts with; one that is there stays. */
  async prepare(text: string): Promise<void> {
    if ((await this.read()) === null) await this.#replace(text)
  }

  /** Null: there is none yet. */
  async read(): Promise<string | null> {
    try {
      return await readFile(this.#path, 'utf8')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
      throw unwritable(this.#path, error)
    }
  }

  /** Puts the text into use. Fails with BirdError, and everything is as it was. */
  async apply(text: string): Promise<void> {
    const last = await this.read()
    await this.#check(text)
    await this.#replace(text)
    try {
      await this.#control.configure(this.#path)
    } catch (error) {
      // Good a moment ago and refused now. Where BIRD is away instead, it starts with the new one.
      const isRefused = error instanceof BirdError && error.code === BirdErrorCode.refused
      if (isRefused && last !== null) await this.#replace(last)
      throw error
    }
  }

  async #check(text: string): Promise<void> {
    const candidate = `${this.#path}.candidate`
    await write(candidate, text, false)
    try {
      await this.#control.check(candidate)
    } catch (error) {
      throw error instanceof BirdError ? withoutPath(error, candidate) : error
    } finally {
      // One that stays is written anew next time.
      await rm(candidate, { force: true }).catch(() => undefined)
    }
  }

  async #replace(text: string): Promise<void> {
    const next = `${this.#path}.next`
    await write(next, text, true)
    try {
      await rename(next, this.#path)
    } catch (error) {
      throw unwritable(this.#path, error)
    }
  }
}

/** @param isToLast it must survive a power loss */
async function write(path: string, text: string, isToLast: boolean): Promise<void> {
  try {
    await writeNew(path, text, isToLast)
  } catch (error) {
    throw unwritable(path, error)
  }
}

async function writeNew(path: string, text: string, isToLast: boolean): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  await rm(path, { force: true })
  const file = await open(path, 'wx', MODE)
  try {
    await file.chmod(MODE)
    await file.writeFile(text)
    if (isToLast) await file.sync()
  } finally {
    await file.close()
  }
}

/** `line 12:7 syntax error …`: where our file lies says nothing to the people who read this. */
function withoutPath(error: BirdError, path: string): BirdError {
  const message = error.message.replace(`${path}:`, 'line ')
  return new BirdError(error.code, message, { cause: error })
}

function unwritable(path: string, cause: unknown): BirdError {
  const { code = String(cause) } = cause as NodeJS.ErrnoException
  return new BirdError(BirdErrorCode.unwritable, `cannot keep ${path}: ${code}`, { cause })
}
