/**
 * The linter's rules: who may import what (`areas`), where effects may happen, how long things may get.
 * Not here: formatting (biome.json), types (tsconfig.json), and what takes more than one file to see
 * (test/tidy.test.ts).
 * Invariant: everything is forbidden that an area does not name. A later override replaces an earlier one of the same
 * rule, so each area spells its imports out whole.
 */
import { defineConfig, type OxlintOverride } from 'oxlint'

interface Area {
  readonly files: readonly string[]
  /** Modules besides the area's own files. */
  readonly imports: readonly string[]
  /** Clocks, timers, randomness, processes, sockets, files: by global names too. */
  readonly effects: boolean
}

const node = ['node:*', 'node:*/*']
const packages = ['@sipcast/sip', '@sipcast/mapping', '@sipcast/net', '@sipcast/kube']
const ofPlanes = [
  ...packages,
  '@sipcast/crds',
  'prom-client',
  'node:assert',
  'node:crypto',
  'node:net',
  'node:util',
]
const effectsOfPlanes = [...ofPlanes, ...node, 'pino', 'yaml']
const ofTests = [...node, 'vitest', 'fast-check']
const tests = '*.{test,fixture,twin}.ts'

// Where two areas hold a file, the later one counts.
const areas: readonly Area[] = [
  { files: ['packages/sip/**'], imports: [], effects: false },
  { files: ['packages/mapping/**'], imports: ['node:crypto'], effects: false },
  { files: ['packages/net/**'], imports: [...node, '@sipcast/sip', 'koffi'], effects: true },
  { files: ['packages/kube/**'], imports: [...node, '@kubernetes/client-node'], effects: true },
  { files: ['crds/**'], imports: ['zod'], effects: false },
  { files: ['crds/generate.ts'], imports: [...node, 'zod', 'yaml'], effects: true },
  { files: ['{operator,dataplane}/**'], imports: ofPlanes, effects: false },
  { files: ['{operator,dataplane}/**/{io/**,main.ts}'], imports: effectsOfPlanes, effects: true },
  { files: [`packages/{sip,mapping}/**/${tests}`], imports: ofTests, effects: true },
  {
    files: [`packages/{net,kube}/**/${tests}`],
    imports: [...ofTests, '@sipcast/sip'],
    effects: true,
  },
  { files: [`crds/**/${tests}`], imports: [...ofTests, 'zod', 'yaml'], effects: true },
  {
    files: [`{operator,dataplane}/**/${tests}`],
    imports: [...ofTests, ...effectsOfPlanes],
    effects: true,
  },
]

/** Of modules that have effects too: what may be imported where effects may not happen, or what may not. */
const partsWithoutEffects = [
  { name: 'node:crypto', allowImportNames: ['createHash'] },
  { name: 'node:net', allowImportNames: ['isIP', 'isIPv4', 'isIPv6'] },
  {
    name: '@sipcast/net',
    importNames: ['openUdpPort', 'openFfiPort', 'openDgramPort', 'OpenDescriptors', 'systemClock'],
  },
  { name: 'prom-client', importNames: ['collectDefaultMetrics'] },
]

const effectGlobals = [
  'process',
  'console',
  'setTimeout',
  'setInterval',
  'setImmediate',
  'clearTimeout',
  'clearInterval',
  'clearImmediate',
  'queueMicrotask',
  'performance',
  'fetch',
  'crypto',
  'navigator',
  'WebSocket',
  'EventSource',
  'BroadcastChannel',
  'globalThis',
  'global',
]
const effectProperties = [
  { object: 'Date', property: 'now' },
  { object: 'Math', property: 'random' },
  { object: 'Temporal', property: 'Now' },
  { object: 'AbortSignal', property: 'timeout' },
  { object: 'Atomics', property: 'wait' },
  { object: 'Atomics', property: 'waitAsync' },
]

const EFFECTS_ELSEWHERE =
  'Effects live in io/, main.ts, packages/net and packages/kube: take it as an argument (ports.ts).'
const OWN_FOLDER = 'Another folder of ours is reached by its package name, through its mod.ts.'
const NOT_FROM_HERE = 'This folder may not import that: see `areas` in oxlint.config.ts.'

const strangerPaths = [
  { regex: '(^|/)\\.\\./(packages|crds|operator|dataplane|lab|charts)/', message: OWN_FOLDER },
  { regex: '^(\\.\\./)+(sip|mapping|net|kube)/', message: OWN_FOLDER },
]
const placesOfEffects = { regex: '(^|/)(io/|main\\.ts$)', message: EFFECTS_ELSEWHERE }
const pastTheDoor = { group: ['@sipcast/*/**'], message: OWN_FOLDER }

export default defineConfig({
  plugins: ['typescript', 'import', 'unicorn', 'oxc'],
  categories: { correctness: 'error' },
  options: { typeAware: true, reportUnusedDisableDirectives: 'error' },
  ignorePatterns: ['node_modules', '.lab'],
  rules: {
    'no-console': 'error',
    eqeqeq: ['error', 'always', { null: 'ignore' }],
    'prefer-const': 'error',
    'no-var': 'error',
    'no-empty': 'error',
    'typescript/no-explicit-any': 'error',
    'typescript/no-floating-promises': 'error',
    'typescript/no-misused-promises': 'error',
    'typescript/await-thenable': 'error',
    'typescript/only-throw-error': 'error',
    'typescript/switch-exhaustiveness-check': 'error',
    'typescript/consistent-type-imports': 'error',
    'typescript/no-import-type-side-effects': 'error',
    'typescript/no-namespace': ['error', { allowDeclarations: false }],
    'typescript/no-deprecated': 'error',
    'typescript/ban-ts-comment': 'error',
    'import/no-cycle': 'error',
    'import/no-self-import': 'error',
    'import/no-duplicates': 'error',
    'import/no-mutable-exports': 'error',
    'import/no-default-export': 'error',
    'import/first': 'error',
    'unicorn/prefer-node-protocol': 'error',
    // `new Array<number>(n).fill(0)` is how a list of known length begins here.
    'unicorn/no-new-array': 'off',
    // A spread copies what an object or a string holds; tests compare such copies.
    'typescript/no-misused-spread': 'off',

    'max-depth': ['error', 4],
    'max-params': ['error', 5],
    'max-lines': ['error', 500],
    'max-lines-per-function': ['error', { max: 70, skipBlankLines: true, skipComments: true }],
  },
  overrides: [
    ...areas.map(border),
    {
      // Both may import everything, but not past a package's door.
      files: ['lab/**', 'test/**'],
      rules: {
        'no-console': 'off',
        'no-restricted-imports': ['error', { patterns: [pastTheDoor] }],
      },
    },
    {
      // A `describe` is one function.
      files: ['**/*.test.ts', 'test/conformance/**'],
      rules: { 'max-lines-per-function': 'off' },
    },
    {
      files: ['*.config.ts', 'test/**/*-reporter.ts'],
      rules: { 'import/no-default-export': 'off' },
    },
  ],
})

function border({ files, imports, effects }: Area): OxlintOverride {
  return {
    files: [...files],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          paths: effects ? [] : partsWithoutEffects.map(because(EFFECTS_ELSEWHERE)),
          patterns: [...(effects ? [] : [placesOfEffects]), ...importPatterns(imports)],
        },
      ],
      'no-restricted-globals': effects
        ? 'off'
        : ['error', ...effectGlobals.map((name) => ({ name })).map(because(EFFECTS_ELSEWHERE))],
      'no-restricted-properties': effects
        ? 'off'
        : ['error', ...effectProperties.map(because(EFFECTS_ELSEWHERE))],
    },
  }
}

function importPatterns(imports: readonly string[]) {
  // Everything, then what is excepted: the syntax of .gitignore. It comes last: an exception ends the search.
  const allBut = ['*', '!./**', '!../**', '!@sipcast', ...imports.map((name) => `!${name}`)]
  return [...strangerPaths, { group: allBut, message: NOT_FROM_HERE }]
}

function because(message: string) {
  return <T extends object>(restriction: T) => ({ ...restriction, message })
}
