/**
 * Every bound and period of the operator, in one place. Not here: what a SipProxy's spec says (crds).
 */

/** A balancer whose heartbeat is older does not count (design section 3). */
export const HEARTBEAT_AGE_MAX_MS = 90_000

/** A removed SipProxy's table stays this long for balancers that have not said they applied it (section 4). */
export const REMOVAL_WAIT_MAX_MS = 60_000

/** SipProxies that are gone but served on somewhere, without a table: so many are seen to at once. */
export const STRAYS_AT_ONCE_MAX = 64

/** How long a proxy that left, or an address it had, is still recognised in Route headers, and how many of them. */
export const FORMER_AGE_MAX_MS = 24 * 3_600_000
export const FORMER_MAX = 1024

/** The first table waits for first probe results this much longer than the probe's timeout, then goes without them. */
export const FIRST_RESULT_GRACE_MS = 50

/** Passes that run at once; each is about another SipProxy. */
export const PASSES_AT_ONCE_MAX = 8

/** A pass that failed is run again after this, doubled each time up to the maximum. */
export const RETRY_DELAY_MIN_MS = 100
export const RETRY_DELAY_MAX_MS = 30_000

/** Every SipProxy has a pass about this often, whatever happened: what no event told is found then. */
export const RESYNC_PERIOD_MS = 30_000

/** Balancers' heartbeats and keys are looked at this often. */
export const HOUSEKEEPING_PERIOD_MS = 5_000

/** A signing key older than this is followed by a new one; one that no longer signs is accepted this much longer. */
export const KEY_AGE_MAX_MS = 30 * 24 * 3_600_000
export const KEY_ACCEPTED_AFTER_USE_MS = 24 * 3_600_000
/** A new key is left alone this long before it may sign, so that balancers that just start have it too. */
export const KEY_SETTLE_MS = 10_000
export const KEY_ID_MAX = 255

/**
 * Directory mode: events of the file system are collected this long; without any, everything is looked at this often.
 */
export const WATCH_SETTLE_MS = 20
export const RESCAN_PERIOD_MS = 2_000
/**
 * A manifest must be gone this long before its SipProxy counts as removed: editors write by truncating or by moving
 * away.
 */
export const ABSENCE_CONFIRM_MS = 1_000
export const MANIFEST_BYTES_MAX = 4 << 20
export const MANIFEST_DOCUMENTS_MAX = 4096
export const REPORT_BYTES_MAX = 4 << 20

/** SIGTERM: passes under way may end within this. */
export const STOP_WAIT_MAX_MS = 2_000

/** New proxies that are probed at once instead of in their turn. */
export const PROBE_NOW_MAX = 256

/**
 * Proxies that come up this soon after the first of their pool join without budget: pods get their addresses and start
 * one after the other, and hardly anybody has registered yet.
 */
export const GATHERING_MS = 30_000

/** A socket for probes that cannot be had is tried again after this. */
export const SOCKET_RETRY_MS = 5_000

/** First tables up to so many slots times members are computed on the main thread: some 25 ms. */
export const ASSIGN_HERE_MAX = 1 << 18

/** Condition type of the readiness gate that the operator sets from its probes. */
export const GATE_CONDITION = 'sipcast.io/options'

/** Writes to the API server: tables, gates, status and events together. */
export const WRITES_PER_SECOND = 100
export const WRITE_BURST = 200

/** Writes that no pass waits for: so many at once; one that failed is tried again at least this often. */
export const OUTBOX_AT_ONCE_MAX = 8
export const OUTBOX_RETRY_DELAY_MAX_MS = 10_000

/** After failed requests the first success makes everything that failed be tried again, at most this often. */
export const RECOVERY_PERIOD_MIN_MS = 500

/**
 * Kubernetes Events: so many about one SipProxy at once, then one each period; the same again within the age only
 * counts up, which is written at most once each write period.
 */
export const EVENT_BURST = 25
/** Of the burst, and of what waits to be written: kept for warnings and moved slots, whatever crowd comes up. */
export const EVENT_BURST_RESERVED = 10
export const EVENTS_PENDING_RESERVED = 128
export const EVENT_PERIOD_MS = 30_000
export const EVENT_SERIES_AGE_MAX_MS = 600_000
export const EVENT_SERIES_WRITE_PERIOD_MS = 10_000
export const EVENT_SERIES_MAX = 4096
export const EVENTS_PENDING_MAX = 256

/** Reports of many nodes come together: the status of BgpPeers follows them after this, once for all. */
export const BGP_PEER_SETTLE_MS = 500
