import { expect, test } from 'vitest'
import { parseManifest } from './manifest.ts'

const VOICE = `
apiVersion: sipcast.io/v1alpha1
kind: SipProxy
metadata: {name: voice}
spec: {addresses: [203.0.113.10]}
`

function summary(text: string) {
  return parseManifest('voice.yaml', text).map(({ key, problem }) => [key, problem])
}

test('several documents, other kinds and empty ones between them', () => {
  const text = `---${VOICE}---\n# nothing\n---\nkind: ConfigMap\nmetadata: {name: x}\n---${VOICE.replace('voice', 'data')}`
  expect(summary(text)).toEqual([
    ['default/voice', null],
    ['default/data', null],
  ])
})

test('an empty file says nothing', () => {
  expect(summary('')).toEqual([])
})

test('a namespace is taken', () => {
  const [document] = parseManifest('f', VOICE.replace('{name: voice}', '{name: v, namespace: sip}'))
  expect(document?.key).toBe('sip/v')
})

test('a broken document names file, document, line and column, and leaves the others alone', () => {
  const text = `---${VOICE}---${VOICE.replace('voice', 'data').replace(']}', ']')}`
  const [good, bad] = summary(text)
  expect(good).toEqual(['default/voice', null])
  expect(bad?.[0]).toBe('default/data')
  expect(bad?.[1]).toMatch(/^voice\.yaml, document 2: .* at line \d+, column \d+$/)
})

test.each([
  ['a tab for indentation', 'kind: SipProxy\nmetadata:\n\tname: voice\n'],
  ['a key twice', `${VOICE}kind: SipProxy\n`],
  ['an unknown alias', `${VOICE}more: *nobody\n`],
  ['no kind', VOICE.replace('kind: SipProxy\n', '')],
  ['no name', VOICE.replace('{name: voice}', '{}')],
  ['a name that leads out of the folder', VOICE.replace('voice', '../../etc/passwd')],
  ['plain text', 'hello'],
  ['an alias bomb', bomb()],
])('%s is a problem, not an exception', (_what, text) => {
  const documents = parseManifest('voice.yaml', text)
  expect(documents).toHaveLength(1)
  expect(documents[0]?.problem).toContain('voice.yaml')
})

function bomb(): string {
  const lines = ['kind: SipProxy', 'a0: &a0 [x, x, x, x, x, x, x, x, x, x]']
  for (let i = 1; i < 10; i++) {
    lines.push(`a${i}: &a${i} [${Array.from({ length: 10 }, () => `*a${i - 1}`).join(', ')}]`)
  }
  return lines.join('\n')
}
