/**
 * A program that makes one thread of another Node process hang, as an endless loop would, though without using the
 * processor: `node hang.ts PID main|worker`, in that process's network namespace. Prints `armed` when it can, does it
 * at SIGUSR2, prints `done`. By Node's own debugger, so that the process was started just as in production. Not here:
 * mending it; the thread hangs for HANG_MS, or until somebody ends it.
 */
import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'

/** Node opens it at SIGUSR1, on the loopback interface; each namespace has its own. */
const INSPECTOR = 'http://127.0.0.1:9229/json/list'
const TRIES_MAX = 250
const TRY_EVERY_MS = 20
const HANG_MS = 120_000
const HANG = `Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ${HANG_MS})`

interface InspectorMessage {
  readonly method?: string
  readonly params?: { readonly sessionId?: string }
}

const [pid, thread] = process.argv.slice(2)
process.kill(Number(pid), 'SIGUSR1')
const socket = new WebSocket(await inspectorOf())
await new Promise((resolve) => socket.addEventListener('open', resolve, { once: true }))
let commands = 0
const session = thread === 'worker' ? await sessionOfWorker() : null
const struck = new Promise((resolve) => process.once('SIGUSR2', resolve))
console.log('armed')
await struck
if (session === null) tell('Runtime.evaluate', { expression: HANG })
else {
  const message = commandOf('Runtime.evaluate', { expression: HANG })
  tell('NodeWorker.sendMessageToWorker', { sessionId: session, message })
}
console.log('done')
// What is on its way must arrive; a thread that hangs answers nothing.
await sleep(1_000)
process.exit(0)

async function inspectorOf(): Promise<string> {
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    try {
      const targets = (await (await fetch(INSPECTOR)).json()) as readonly {
        readonly webSocketDebuggerUrl: string
      }[]
      if (targets[0] !== undefined) return targets[0].webSocketDebuggerUrl
    } catch {
      // Not open yet.
    }
    await sleep(TRY_EVERY_MS)
  }
  throw new Error(`process ${pid} opens no inspector`)
}

/** Of the first one that Node tells of: the lab's balancers have one. */
async function sessionOfWorker(): Promise<string> {
  const attached = new Promise<string>((resolve) =>
    socket.addEventListener('message', ({ data }) => {
      const { method, params } = JSON.parse(String(data)) as InspectorMessage
      if (method === 'NodeWorker.attachedToWorker') resolve(params?.sessionId ?? '')
    }),
  )
  tell('NodeWorker.enable', { waitForDebuggerOnStart: false })
  return await attached
}

function tell(method: string, params: object): void {
  socket.send(commandOf(method, params))
}

function commandOf(method: string, params: object): string {
  return JSON.stringify({ id: ++commands, method, params })
}
