/**
 * Assignments that take their time, on a thread of their own: the one that probes and renews the lease must not
 * stand still.
 * Not here: which those are (plan.ts), the algorithm (@sipcast/mapping). Invariant: the same result as on this
 * thread.
 */
import { once } from 'node:events'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { type AssignInput, type Assignment, assign } from '@sipcast/mapping'

export async function assignOnThread(input: AssignInput): Promise<Assignment> {
  const worker = new Worker(new URL(import.meta.url), { workerData: input })
  const [assignment] = (await once(worker, 'message')) as [Assignment]
  return assignment
}

if (!isMainThread) parentPort?.postMessage(assign(workerData as AssignInput))
