/**
 * The mapping of users to proxies: table codec, slot hash, assignment, health. Pure; the only import from outside is
 * `createHash` of node:crypto. This is the package's only door.
 */
export { type AssignInput, type Assignment, assign, type LastAssignment } from './assign.ts'
export { canonicalJson } from './canonical-json.ts'
export {
  HandBack,
  type HandBackConfig,
  type HandBackSpending,
  handBackBudget,
  handBackGrowsAtMs,
  isHandBackDue,
  type ReturningMember,
  spendHandBack,
} from './hand-back.ts'
export { defaultSeed, HASH_NAME, halfSipHash, memberTag, SlotHash, slotOf } from './hash.ts'
export {
  doubt,
  elapse,
  type Health,
  type HealthConfig,
  isSuspect,
  Observation,
  observe,
  SUSPICION_MS,
  startHealth,
} from './health.ts'
export { FORMER_MAX, MEMBERS_MAX, SLOTS_MAX, SLOTS_MIN, TABLE_LENGTH_MAX } from './limits.ts'
export { countMoves, type MemberMoves, type Moves, type Owned } from './moves.ts'
export {
  guardAgainstPanic,
  type PanicInput,
  type PanicMember,
  type PanicVerdict,
  panicWindowMs,
} from './panic.ts'
export { rendezvousScore } from './rendezvous.ts'
export { type AssignMember, MemberRole } from './roster.ts'
export { memberRole, memberState, type Standing } from './standing.ts'
export {
  type FormerMember,
  type Member,
  MemberState,
  newerTable,
  NO_MEMBER,
  TABLE_SCHEMA,
  type Table,
  type TableContent,
  type TableEdge,
  TableInsideSource,
  TableKey,
  type TableProbe,
  type TableVersion,
} from './table.ts'
export { type DecodedTable, decodeTable, type TableError, TableErrorCode } from './table-decode.ts'
export { encodeTable, sealTable } from './table-encode.ts'
