/** For programmer errors only (house style): a false condition is a bug of ours, and crashing beats going on. */
export function assert(condition: boolean, sentence: string): asserts condition {
  if (!condition) throw new Error(`assertion failed: ${sentence}`)
}
