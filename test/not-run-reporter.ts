/**
 * Says at the end of a run, last and loudly, which tests were not run and why; where CI=true, that fails the run.
 * Not here: failures and sums (vitest's own `minimal` reporter does these), and the reasons (requires.ts words them).
 * Tests left out by a filter on the command line (`-t`) were left out on purpose and count as run.
 */
import type { UserConsoleLog } from 'vitest'
import type { Reporter, TestCase, TestModule, TestSuite, Vitest } from 'vitest/node'
import { NOT_RUN } from './requires.ts'

export class NotRunReporter implements Reporter {
  readonly #reasons = new Map<string, Set<string>>()
  #isFiltered = false

  onInit(vitest: Vitest): void {
    this.#isFiltered = vitest.config.testNamePattern !== undefined
  }

  onUserConsoleLog({ content, taskId }: UserConsoleLog): void {
    for (const line of content.split('\n')) {
      if (!line.startsWith(NOT_RUN)) continue
      const reasons = this.#reasons.get(taskId ?? '') ?? new Set()
      this.#reasons.set(taskId ?? '', reasons.add(line.slice(NOT_RUN.length).trim()))
    }
  }

  onTestRunEnd(modules: readonly TestModule[]): void {
    if (this.#isFiltered) return
    const lines = modules.flatMap((module) => this.#linesOf(module))
    if (lines.length === 0) return
    const isFailure = process.env['CI'] === 'true'
    if (isFailure) lines.push('Where CI=true everything runs: this run has failed.')
    process.stderr.write(`\n${lines.join('\n')}\n\n`)
    if (isFailure) process.exitCode = 1
  }

  #linesOf(module: TestModule): string[] {
    const count = [...module.children.allTests('skipped')].length
    if (count === 0) return []
    const titles = [...topmostSkipped(module)].map(({ name }) => name).join(', ')
    const why = [...(this.#reasons.get(module.id) ?? ['no reason given'])].join('; ')
    const tests = count === 1 ? '1 test' : `${count} tests`
    return [`${NOT_RUN} ${module.relativeModuleId}: ${tests} (${titles}): ${why}`]
  }
}

function* topmostSkipped(
  parent: TestModule | TestSuite,
): Generator<TestCase | TestSuite, void, undefined> {
  for (const child of parent.children) {
    const isSkipped = child.type === 'test' && child.result().state === 'skipped'
    const isWhole = child.type === 'suite' && [...child.children.allTests()].every(isTestSkipped)
    if (isSkipped || isWhole) yield child
    else if (child.type === 'suite') yield* topmostSkipped(child)
  }
}

function isTestSkipped(test: TestCase): boolean {
  return test.result().state === 'skipped'
}
