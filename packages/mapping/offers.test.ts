import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Offers } from './offers.ts'

interface Offer {
  readonly slot: number
  readonly bin: number
  readonly gain: number
}

/** Best first: the larger gain, then the lower slot. */
const inOrder = (a: Offer, b: Offer): number => b.gain - a.gain || a.slot - b.slot

test('offers come out best first, the lower slot first among equals, worsened ones in their new place', () => {
  const gain = fc.integer({ min: -3, max: 3 })
  fc.assert(
    fc.property(fc.array(gain, { maxLength: 30 }), fc.array(gain), (gains, worsenings) => {
      const offers = new Offers(gains.length)
      let expected: Offer[] = gains.map((value, slot) => ({ slot, bin: slot % 4, gain: value }))
      for (const { slot, bin, gain: value } of expected) offers.push(slot, bin, value)
      for (const worse of worsenings) {
        const best = expected.toSorted(inOrder)[0]
        if (best === undefined) break
        const changed = { slot: best.slot, bin: 9, gain: Math.min(worse, best.gain) }
        offers.replace(changed.bin, changed.gain)
        expected = expected.map((offer) => (offer === best ? changed : offer))
      }
      const taken: Offer[] = []
      for (; offers.size > 0; offers.pop()) {
        const { slot, bin } = offers
        taken.push({ slot, bin, gain: expected.find((offer) => offer.slot === slot)?.gain ?? 99 })
      }
      expect(taken).toEqual(expected.toSorted(inOrder))
    }),
  )
})
