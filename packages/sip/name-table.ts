/**
 * A closed set of names to codes: length, first and last letter leave one candidate, which is then compared four bytes
 * at a time.
 *
 *     Content-Length  →  candidate by (14, 'C', 'h')  →  words at 0, 4, 8 and at the end: Cont ent- Leng ngth
 *
 * Not a map: names are 1 … 15 bytes long, and no two may meet in one slot; a table of which two do fails at start-up.
 */

const LENGTH_MAX = 15
const LETTERS = 32
const WORDS_PER_NAME = 4
const LOWER_CASE = 0x20202020
const LOWER_CASE_SHORT = 0x202020

export class NameTable {
  readonly #candidates = new Uint8Array((LENGTH_MAX + 1) * LETTERS)
  readonly #words: Int32Array
  readonly #fold: number

  /** `names` with their codes, 1 … 255; several names may have one code. */
  constructor(names: readonly (readonly [string, number])[], cases: 'any case' | 'exact case') {
    this.#fold = cases === 'any case' ? LOWER_CASE : 0
    this.#words = new Int32Array((LENGTH_MAX + 1) * LETTERS * WORDS_PER_NAME)
    for (const [name, code] of names) this.#add(name, code)
  }

  /** The code of the name in [start, end), which holds no space and no control character; 0 = none. */
  find(view: DataView, start: number, end: number): number {
    const length = (end - start) | 0
    if (length > LENGTH_MAX || length <= 0) return 0
    const slot = slotOf(length, view.getUint8(start), view.getUint8(end - 1))
    const code = this.#candidates[slot]!
    if (code === 0) return 0
    const fold = this.#fold
    const words = this.#words
    const at = (slot * WORDS_PER_NAME) | 0
    if (length < 4)
      return (shortWord(view, start, end) | (fold & LOWER_CASE_SHORT)) === words[at] ? code : 0
    if ((view.getInt32(start, true) | fold) !== words[at]) return 0
    if ((view.getInt32(end - 4, true) | fold) !== words[at + 3]) return 0
    if (length > 8 && (view.getInt32(start + 4, true) | fold) !== words[at + 1]) return 0
    if (length > 12 && (view.getInt32(start + 8, true) | fold) !== words[at + 2]) return 0
    return code
  }

  #add(name: string, code: number): void {
    const view = new DataView(new ArrayBuffer(16))
    for (let i = 0; i < name.length; i++) view.setUint8(i, name.charCodeAt(i))
    const slot = slotOf(name.length, view.getUint8(0), view.getUint8(name.length - 1))
    if (this.#candidates[slot] !== 0) throw new Error(`two names like ${name}`)
    this.#candidates[slot] = code
    const at = slot * WORDS_PER_NAME
    if (name.length < 4) {
      this.#words[at] = shortWord(view, 0, name.length) | (this.#fold & LOWER_CASE_SHORT)
      return
    }
    this.#words[at] = view.getInt32(0, true) | this.#fold
    this.#words[at + 1] = view.getInt32(4, true) | this.#fold
    this.#words[at + 2] = view.getInt32(8, true) | this.#fold
    this.#words[at + 3] = view.getInt32(name.length - 4, true) | this.#fold
  }
}

/** Odd multiples in all, so that single letters stay apart. */
function slotOf(length: number, first: number, last: number): number {
  return length * LETTERS + ((2 * first + last) & 31)
}

/** At most three letters as one number. */
function shortWord(view: DataView, start: number, end: number): number {
  let word = 0
  for (let i = start; i < end; i++) word = (word << 8) | view.getUint8(i)
  return word
}
