/**
 * The C library's socket calls, bound through koffi: the only file that knows koffi.
 *
 * Pointers are plain numbers (user-space addresses fit in 2⁵³), so that no call in the packet loop
 * makes a BigInt. `addressOf` is the way to get one, and comes with a duty: whoever passes an
 * address keeps its buffer referenced for as long as the kernel may use it, since V8 frees buffers
 * that only an address remembers.
 */

import { createRequire } from 'node:module'
import { arch, platform } from 'node:process'
import type koffiModule from 'koffi'

type Pointer = number

export interface Libc {
  socket(family: number, type: number, protocol: number): number
  bind(fd: number, address: Pointer, length: number): number
  getsockname(fd: number, address: Pointer, length: Pointer): number
  setsockopt(fd: number, level: number, name: number, value: Pointer, length: number): number
  getsockopt(fd: number, level: number, name: number, value: Pointer, length: Pointer): number
  recvmmsg(fd: number, headers: Pointer, count: number, flags: number, timeout: Pointer): number
  sendmmsg(fd: number, headers: Pointer, count: number, flags: number): number
  recvmsg(fd: number, header: Pointer, flags: number): number
  poll(fds: Pointer, count: number, timeoutMs: number): number
  epoll_create1(flags: number): number
  epoll_ctl(epoll: number, operation: number, fd: number, event: Pointer): number
  epoll_wait(epoll: number, events: Pointer, count: number, timeoutMs: number): number
  close(fd: number): number
  /** Of the last call that failed; to be asked before any other call. */
  errno(): number
}

let koffi: typeof koffiModule
let loaded: Libc | undefined
let trim: ((keepBytes: number) => number) | undefined

/**
 * To be called first. Throws where the layouts in linux.ts do not hold, koffi has no binary or the C
 * library lacks a call; hence `require` when asked rather than an import, which would fail everybody.
 */
export function loadLibc(): Libc {
  if (platform !== 'linux' || (arch !== 'x64' && arch !== 'arm64')) {
    throw new Error(`no socket layouts for ${platform} on ${arch}`)
  }
  koffi ??= createRequire(import.meta.url)('koffi') as typeof koffiModule
  loaded ??= bindLibc()
  return loaded
}

export function addressOf(buffer: ArrayBuffer | ArrayBufferView): Pointer {
  return Number(koffi.address(buffer))
}

/** Calls back when `fd` is readable, until `stop` or `close`. */
export interface ReadableWatch {
  start(): void
  stop(): void
  close(): void
}

/**
 * Watches a descriptor on the event loop. koffi's callback runs outside of Node's callback scope,
 * so promises settled in it would wait for the next unrelated event: hence setImmediate.
 */
export function watchReadable(fd: number, onReadable: () => void): ReadableWatch {
  const callback = () => void setImmediate(onReadable)
  const handle = koffi.node.poll(fd, { readable: true }, callback)
  handle.stop()
  return {
    start: () => handle.start({ readable: true }, callback),
    stop: () => handle.stop(),
    close: () => handle.close(),
  }
}

/** Gives memory that malloc keeps for itself back to the system; false where the C library has no such call. */
export function trimMemory(): boolean {
  try {
    koffi ??= createRequire(import.meta.url)('koffi') as typeof koffiModule
    trim ??= koffi.load(null).func('malloc_trim', 'int', ['size_t'])
  } catch {
    // Not glibc, or no koffi: nothing depends on it.
    return false
  }
  return trim(0) === 1
}

function bindLibc(): Libc {
  const self = koffi.load(null)
  const int = 'int'
  const pointer = 'uintptr_t'
  const uint = 'unsigned int'
  const bound = {
    socket: self.func('socket', int, [int, int, int]),
    bind: self.func('bind', int, [int, pointer, uint]),
    getsockname: self.func('getsockname', int, [int, pointer, pointer]),
    setsockopt: self.func('setsockopt', int, [int, int, int, pointer, uint]),
    getsockopt: self.func('getsockopt', int, [int, int, int, pointer, pointer]),
    recvmmsg: self.func('recvmmsg', int, [int, pointer, uint, int, pointer]),
    sendmmsg: self.func('sendmmsg', int, [int, pointer, uint, int]),
    recvmsg: self.func('recvmsg', 'long', [int, pointer, int]),
    poll: self.func('poll', int, [pointer, 'unsigned long', int]),
    epoll_create1: self.func('epoll_create1', int, [int]),
    epoll_ctl: self.func('epoll_ctl', int, [int, int, int, pointer]),
    epoll_wait: self.func('epoll_wait', int, [int, pointer, int, int]),
    close: self.func('close', int, [int]),
    errno: () => koffi.errno(),
  }
  return bound
}
