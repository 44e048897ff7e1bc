/** What takes its time is told while it goes on: its name at once, how long it took at its end. */
import process from 'node:process'

export async function step<T>(name: string, action: () => Promise<T>): Promise<T> {
  const startedAtMs = performance.now()
  process.stdout.write(`${name} … `)
  try {
    const result = await action()
    process.stdout.write(`${((performance.now() - startedAtMs) / 1000).toFixed(0)} s\n`)
    return result
  } catch (error) {
    process.stdout.write('failed\n')
    throw error
  }
}
