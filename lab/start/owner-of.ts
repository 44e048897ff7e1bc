/**
 * Which proxy a table gives a user to. Simple user names only: nothing here is unescaped or stripped
 * (packages/sip does that).
 */
import { SlotHash, type Table, slotOf } from '@sipcast/mapping'

/** The member's id, or null where the slot has no owner. */
export function ownerOf(table: Table, user: string): string | null {
  const bytes = Buffer.from(user.toLowerCase())
  const slot = slotOf(new SlotHash(table.seed).hash(bytes, 0, bytes.length), table.slots)
  return table.members[table.owners[slot] ?? -1]?.id ?? null
}
