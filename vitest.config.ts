/**
 * Layers of tests, quickest first. `npm run unit` is the first, `npm test` all but the last, which runs on a cluster.
 * What a suite needs from outside: test/requires.ts.
 */
import { defineConfig } from 'vitest/config'
import { NotRunReporter } from './test/not-run-reporter.ts'

export default defineConfig({
  test: {
    reporters: ['minimal', new NotRunReporter()],
    maxWorkers: 2,
    // Whatever is waited for comes at once, or on a busy machine a little later.
    expect: { poll: { timeout: 10_000 } },
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['{packages,crds,operator,dataplane,lab}/**/*.test.ts', 'test/*.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'conformance',
          include: ['test/conformance/**/*.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
      {
        extends: true,
        test: {
          name: 'cluster',
          include: ['test/cluster/**/*.test.ts'],
          testTimeout: 600_000,
          hookTimeout: 600_000,
          fileParallelism: false,
          sequence: { groupOrder: 3 },
        },
      },
    ],
  },
})
