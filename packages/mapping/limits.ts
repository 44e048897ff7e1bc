/**
 * Every bound of the mapping, in one place. A table that exceeds one of them is refused; nothing here is tuned at
 * run time.
 */

/** Slots of a table: a power of two between these (design, section 3). */
export const SLOTS_MIN = 64
export const SLOTS_MAX = 65536

/**
 * Members of one table: with as many, long names and two addresses each, 65536 slots still fit in TABLE_LENGTH_MAX
 * (table.test.ts). Indices are u16 and 0xffff means "no member", so the format itself would allow 65535.
 */
export const MEMBERS_MAX = 1024

export const WEIGHT_MAX = 1000

/** Members that left or changed their address within the last day. */
export const FORMER_MAX = 1024

/** Entries of any other list in a table, and characters of any string but the packed slots. */
export const LIST_LENGTH_MAX = 1024
export const STRING_LENGTH_MAX = 1024

/** Characters of an encoded table: what a ConfigMap holds. */
export const TABLE_LENGTH_MAX = 1024 * 1024

/** Nesting of an encoded table; today's deepest field is at 3, the rest is room for later fields. */
export const TABLE_DEPTH_MAX = 16
