import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { PASSWORD_BYTES_MAX } from '../limits.ts'
import { PasswordFiles } from './passwords.ts'

const directory = mkdtempSync(join(tmpdir(), 'sipcast-passwords-'))
mkdirSync(join(directory, 'bgp'))
writeFileSync(join(directory, 'flat'), 'no folder')
afterAll(() => rmSync(directory, { recursive: true }))

it.each([
  ['as it is', 'open sesame', 'open sesame'],
  ['without the line break that editors add', 'sesame\n', 'sesame'],
  ['without that of another system', 'sesame\r\n', 'sesame'],
  ['with all other white space', ' sesame \n\n', ' sesame \n'],
  ['not if it is endless', 'x'.repeat(PASSWORD_BYTES_MAX + 1), null],
])('a password is read %s', async (_, text, password) => {
  writeFileSync(join(directory, 'bgp', 'key'), text)
  expect(await new PasswordFiles(directory, '').read('bgp', 'key')).toBe(password)
})

it('where there is none, there is none; what cannot be read may be one', async () => {
  const passwords = new PasswordFiles(directory, '')
  expect(await passwords.read('bgp', 'missing')).toBeNull()
  expect(await passwords.read('other', 'key')).toBeNull()
  expect(await passwords.read('flat', 'key')).toBeUndefined()
})
