/** The options of `npm start`. */
import { parseArgs } from 'node:util'
import { RegistrarKind } from '../start/registrar.ts'

export interface LiveConfig {
  readonly kind: RegistrarKind
  /** Null: until somebody ends it. */
  readonly forSeconds: number | null
  readonly phones: number
}

export type ParsedLiveConfig = { ok: true; value: LiveConfig } | { ok: false; error: string }

export const USAGE = `npm start -- [--for SECONDS] [--registrar kamailio|reference] [--phones N]
  --for SECONDS   no keyboard: kills a registrar, freezes another, revives both, prints a summary and ends;
                  exit code 1 if a phone stayed unreachable
  --registrar     kamailio where it is installed, else the lab's reference registrar
  --phones N      how many phones register and call (12)`

const FOR_SECONDS_MIN = 6
const PHONES = 12
const PHONES_MAX = 100

export function parseLiveConfig(args: readonly string[], hasKamailio: boolean): ParsedLiveConfig {
  try {
    const { values } = parseArgs({
      args: [...args],
      strict: true,
      options: {
        for: { type: 'string' },
        registrar: { type: 'string' },
        phones: { type: 'string' },
        help: { type: 'boolean' },
      },
    })
    if (values.help === true) return { ok: false, error: 'help' }
    return {
      ok: true,
      value: {
        kind: kindOf(values.registrar, hasKamailio),
        forSeconds:
          values.for === undefined ? null : number('--for', values.for, FOR_SECONDS_MIN, 86_400),
        phones:
          values.phones === undefined ? PHONES : number('--phones', values.phones, 2, PHONES_MAX),
      },
    }
  } catch (error) {
    return { ok: false, error: (error as Error).message }
  }
}

function kindOf(text: string | undefined, hasKamailio: boolean): RegistrarKind {
  if (text === undefined) return hasKamailio ? RegistrarKind.kamailio : RegistrarKind.reference
  const kind = Object.values(RegistrarKind).find((candidate) => candidate === text)
  if (kind === undefined) throw new Error(`--registrar takes kamailio or reference, not ${text}`)
  if (kind === 'kamailio' && !hasKamailio)
    throw new Error('--registrar kamailio: Kamailio is not installed here')
  return kind
}

function number(option: string, text: string, min: number, max: number): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < min || value > max) {
    throw new Error(`${option} takes a number from ${min} to ${max}, not ${text}`)
  }
  return value
}
