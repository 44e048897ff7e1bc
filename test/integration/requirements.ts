/**
 * What a suite needs of the machine. Where CI=true nothing may be missing; elsewhere a suite without its tools is skipped, loudly.
 */

/** @param missing what is not there, null if all is. @returns whether the suite runs; throws where it must. */
export function requireOrSkip(suite: string, missing: string | null): boolean {
  if (missing === null) return true
  if (process.env['CI'] === 'true') throw new Error(`${suite}: ${missing}`)
  console.warn(`\n*** NOT RUN: ${suite} (${missing}) ***\n`)
  return false
}
