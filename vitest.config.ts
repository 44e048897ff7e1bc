import { defineConfig } from 'vitest/config'

/** Layers of tests; `npm run unit` is the fast one, `npm test` runs them all. */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['{packages,crds,operator,dataplane,lab}/**/*.test.ts', 'test/{tidy,borders}.test.ts'],
        },
      },
      { test: { name: 'conformance', include: ['test/conformance/**/*.test.ts'] } },
      {
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          fileParallelism: false,
        },
      },
    ],
  },
})
