import { expect, it } from 'vitest'
import type { Notice } from './ports.ts'
import { Troubles } from './troubles.ts'

function events(...states: readonly (readonly [string, string, string][])[]): readonly string[] {
  const told: Notice[] = []
  const troubles = new Troubles((notice) => told.push(notice))
  for (const state of states) {
    troubles.state(state.map(([subject, reason, message]) => ({ subject, reason, message })))
  }
  return told.map(
    ({ level, event, details }) => `${level} ${event} ${String(details?.['subject'])}`,
  )
}

it('tells a trouble once when it begins and once when it ends', () => {
  const full: [string, string, string] = ['report', 'StoreFailed', 'no space']
  expect(events([full], [full], [full], [], [])).toEqual([
    'warn StoreFailed report',
    'info StoreFailedMended report',
  ])
})

it('does not call present what has ended', () => {
  const told: Notice[] = []
  const troubles = new Troubles((notice) => told.push(notice))
  troubles.state([{ subject: 'report', reason: 'StoreFailed', message: 'no space' }])
  troubles.state([])
  expect(told.map(({ message }) => message)).toEqual(['no space', 'no longer: no space'])
})

it('tells again when the same trouble has another cause, without calling the first one mended', () => {
  expect(events([['p', 'EpochBack', '3 < 5']], [['p', 'EpochBack', '4 < 5']])).toEqual([
    'warn EpochBack p',
    'warn EpochBack p',
  ])
})

it('keeps subjects apart', () => {
  expect(
    events(
      [
        ['p', 'X', 'm'],
        ['q', 'X', 'm'],
      ],
      [['q', 'X', 'm']],
    ),
  ).toEqual(['warn X p', 'warn X q', 'info XMended p'])
})
