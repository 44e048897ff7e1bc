/** Every bound of this package, by name. */

/** Longest silence of the API server in answer to a request. */
export const REQUEST_TIMEOUT_MS = 10_000
/** As that, of the first attempt of a request that may be sent twice. */
export const HASTE_MS = 1_000
/** Objects in one page of a list. */
export const PAGE_SIZE = 500
/** An answer that is longer is refused: a page of the largest pods is a tenth of it. */
export const RESPONSE_BYTES_MAX = 128 * 1024 * 1024
/** One event of a watch; etcd holds no object of more than 1.5 MiB. */
export const EVENT_BYTES_MAX = 16 * 1024 * 1024
/** Connections for requests; each watch has one of its own besides. */
export const CONNECTIONS_MAX = 16
/** An idle connection is closed before the API server (90 s) or a load balancer does it. */
export const IDLE_CONNECTION_MS = 45_000
/** A dead path is found by TCP after 5 + 10 × 1 s. */
export const KEEP_ALIVE_DELAY_MS = 5_000

/** Somebody who waits in silence is looked after so often. */
export const LOOK_ROUND_MS = 500
/** Silence after which it is probed whether the server is there at all: of a request, and of a watch. */
export const REQUEST_PROBE_MS = 1_000
export const WATCH_PROBE_MS = 10_000
/** A probe that takes longer has failed. */
export const PROBE_TIMEOUT_MS = 1_000

/** The API server is asked to end each watch after this time, so that clients spread again over its replicas. */
export const WATCH_SECONDS = 290
/** A watch that says nothing for so long, not even a bookmark, is renewed. */
export const WATCH_SILENCE_MS = 30_000
/** Before a cleanly closed watch is opened again, at most. */
export const CLEAN_CLOSE_JITTER_MS = 50
/** A watch that lived shorter counts as a failure: its end would be answered by the next at once, for ever. */
export const WATCH_LIFE_MS_MIN = 1_000
export const BACK_OFF_MS_MIN = 100
/** So that nothing is missed for longer than 2 s once the API server is back. */
export const BACK_OFF_MS_MAX = 1_500
/** A Retry-After that asks for more is cut. */
export const RETRY_AFTER_MS_MAX = 60_000
/** Lists older than what is known are refused for so long; then versions are taken to have been set back. */
export const STALE_LIST_MS_MAX = 30_000

/** A projected token is read again after this time; kubelet renews it long before it expires. */
export const TOKEN_AGE_MS_MAX = 30_000

/** Of a lease's duration: a leader that could not renew for so long is none any more, well before another may be. */
export const RENEW_DEADLINE_SHARE = 2 / 3
/** Of a lease's duration: the longest silence in answer to one attempt, so that a dead connection costs only one. */
export const LEASE_REQUEST_SHARE = 1 / 5
export const RELEASE_TRIES_MAX = 3
