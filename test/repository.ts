/**
 * The repository as its own style tests see it: the files that are in Git or about to be, and their text.
 * Not here: what is wrong with them (tidy, documents and dependencies).
 */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export interface SourceFile {
  /** From the root of the repository. */
  readonly path: string
  readonly text: string
}

export const ROOT = join(import.meta.dirname, '..')

const listed = execFileSync(
  'git',
  ['-c', 'safe.directory=*', 'ls-files', '-z', '--cached', '--others', '--exclude-standard'],
  { cwd: ROOT, encoding: 'utf8' },
)

/** Every file, sorted; those taken away in the working tree are no longer here. */
export const paths: readonly string[] = [...new Set(listed.split('\0'))]
  .filter((path) => path !== '' && existsSync(join(ROOT, path)))
  .toSorted()

export const textFiles: readonly SourceFile[] = paths
  .map(read)
  .filter(({ text }) => !text.includes('\0'))

export const codeFiles: readonly SourceFile[] = textFiles.filter(({ path }) =>
  /\.(ts|mjs)$/.test(path),
)

export const documents: readonly SourceFile[] = textFiles.filter(({ path }) => path.endsWith('.md'))

export function read(path: string): SourceFile {
  return { path, text: readFileSync(join(ROOT, path), 'utf8') }
}

/** Where each matching line is, and what it says. */
export function linesThat(
  files: readonly SourceFile[],
  matches: (line: string) => boolean,
): readonly string[] {
  return files.flatMap(({ path, text }) =>
    text
      .split('\n')
      .map((line, index) =>
        matches(line) ? `${path}:${index + 1}: ${line.trim().slice(0, 80)}` : '',
      )
      .filter((complaint) => complaint !== ''),
  )
}
