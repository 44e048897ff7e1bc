/**
 * Every bound of the balancer, by name. Not here: what users may set (crds).
 * Invariant: the relations between bounds are asserted where they are used first, at start-up.
 */

// Packet path
/** Longest normalised key, bytes: user@host with the longest user and DNS name. */
export const KEY_BYTES_MAX = 512
/** Bytes that all edits of one message may insert together. */
export const EDIT_SCRATCH_BYTES = 4096
/** Own tokens kept of one Route set: two balancer hops per direction, and as many to spare. */
export const TOKENS_MAX = 8
/** Passes over the Route set (design 5.2, rule c begins again): one per Route entry at most. */
export const ROUTE_PASSES_MAX = 32
/** Sources whose rate one worker remembers. */
export const RATE_BUCKETS = 65_536
/** Buckets among which one source's bucket is looked for. */
export const RATE_WAYS = 4
/** Replies of our own that one worker sends per second, all sources together, and at once. */
export const LOCAL_REPLIES_PER_SECOND = 2_000
export const LOCAL_REPLIES_BURST = 500
/** Largest payload of a UDP datagram over IPv4. */
export const DATAGRAM_BYTES_MAX = 65_507
/** Datagrams received and sent in one go. */
export const BATCH_SIZE = 64
/** Longest wait for a packet, so that orders are taken in time. */
export const WAIT_MS = 50
/** Between two attempts to bind a socket that could not be bound. */
export const BIND_RETRY_MS = 1_000
/** RFC 3261 §16.6 step 3: for requests that came without Max-Forwards. */
export const MAX_FORWARDS_DEFAULT = 70
/** ICMP refusals taken per turn; the kernel limits their rate long before. */
export const REFUSALS_MAX = 64
/** Receive buffer asked of the kernel per socket: about a second of full load while the process is paused. */
export const RECEIVE_BUFFER_BYTES = 16 * 1024 * 1024
export const SEND_BUFFER_BYTES = 4 * 1024 * 1024

// Command line
/** Port of the inside socket where `--inside` names none (design 5.1). */
export const INSIDE_PORT_DEFAULT = 5070
export const WORKERS_MAX = 64
/** Without `--workers`: one per processor but one, up to this. */
export const WORKERS_DEFAULT_MAX = 4
export const NAME_LENGTH_MAX = 253
/** Longest drain: the announcer waits no longer than a minute for a balancer that ends. */
export const DRAIN_SECONDS_MAX = 50

// Main thread
/** Without notice from the source of tables and keys, look again after this. */
export const RESCAN_MS = 1_000
/** Events gather for this long before one pass answers them all. */
export const GATHER_MS = 20
export const KEYS_BYTES_MAX = 64 * 1024
/** Characters of tables read after which their garbage is given back to the system. */
export const RELIEF_LENGTH = 4 * 1024 * 1024
/** The same, once no more come. */
export const RELIEF_REST_LENGTH = 256 * 1024
export const RELIEF_DELAY_MS = 1_000
/** Copies not written yet; beyond them the oldest is given up until its SipProxy's next table. */
export const UNSAVED_MAX = 256
/** SipProxies served at once; documents beyond are left alone and reported. */
export const SIP_PROXIES_MAX = 4_096
/** Removed SipProxies whose last epoch is remembered, so that no older table revives them. */
export const REMOVED_MAX = 1_024
/** The report is written this often even if nothing changed (design 3). */
export const HEARTBEAT_MS = 30_000
/** After a report or last-good copy could not be written. */
export const WRITE_RETRY_MS = 5_000
/** After a report could not be written: soon, since others wait for what it says. */
export const REPORT_RETRY_MS = 1_000
/** A pass waits this long for the report; a slower one ends beside the next passes. */
export const REPORT_PATIENCE_MS = 100
/** How long the last report may take. */
export const FAREWELL_MS = 2_000
/** Configs remembered that not every worker has acknowledged yet. */
export const GENERATIONS_MAX = 64
/** Shortest time over which packet rates are reported. */
export const RATE_PERIOD_MS = 1_000

// The API server
/** Longest silence in answer to a request. */
export const API_TIMEOUT_MS = 5_000
/** Trouble that lasts shorter is not worth a word. */
export const API_PATIENCE_MS = 5_000
/** Tables in one page of a list: the largest are 350 kB. */
export const TABLE_PAGE_SIZE = 8
/** Characters of texts held that nobody has read yet; what is beyond is fetched when it is read. */
export const TEXTS_LENGTH_MAX = 4 * 1024 * 1024

// Local liveness (design 5.5)
export const PROBE_INTERVAL_MIN_MS = 2_000
/** The balancer probes this many times less often than the operator. */
export const PROBE_INTERVAL_FACTOR = 4
/** Between two probes of one proxy for what a worker heard of refusals, and between two such reports of a worker. */
export const FAST_PROBE_MS = 100

// Proof to the announcer
/** Addresses in one proof: more than an announcer holds, and within what it reads. */
export const PROVED_ADDRESSES_MAX = 2_048
/** A worker that ended no turn for this long proves nothing; an idle one turns 20 times a second. */
export const TURN_FRESH_MS = 1_000
/** Packets served there this lately prove a socket that does not answer its own test; workers tell once a second. */
export const SERVED_FRESH_MS = 2_000
/** An announcer asks five times a second; of a longer pause no more than this counts. */
export const LOOK_GAP_MAX_MS = 400
/** Each outside socket is tested this often, or less often where there are many. */
export const SELF_TEST_INTERVAL_MS = 500
export const SELF_TEST_TIMEOUT_MS = 450
export const SELF_TESTS_PER_SECOND_MAX = 500
/** Tests in a row that may go unanswered, but for this one. */
export const SELF_TEST_FALL = 3
/** An address that comes waits for the last of its sockets; one port that nobody can bind must not keep it away. */
export const SOCKETS_PATIENCE_MS = 3_000
/** An announcer that said nothing for this long is silent: what it announced has lapsed. */
export const ANNOUNCEMENT_FRESH_MS = 2_000
/** Passes come every RESCAN_MS; of a longer pause no more than this counts as its silence. */
export const PASS_GAP_MAX_MS = 1_200
/** BgpPeers passed on to the announcer; a node has no more than 64 sessions. */
export const BGP_PEERS_MAX = 512
/** What an announcer may say: its addresses twice, its sessions, its problems. */
export const ANNOUNCEMENT_BYTES_MAX = 512 * 1024

// Worker threads
/** A worker that ended no turn for this long is hung: 50 ms of waiting and one batch are far below. */
export const WORKER_HUNG_MS = 3_000
export const WORKER_CHECK_MS = 500
export const WORKER_RESTART_MIN_MS = 100
export const WORKER_RESTART_MAX_MS = 10_000
/** How long workers may take to stop in order; those that still load take longer. */
export const STOP_MS = 2_000
export const STOP_LOADING_MS = 10_000
/** Between two reports of a worker's sockets if only kernel drops changed. */
export const SOCKET_REPORT_MS = 1_000
/** A thread may take this long until its first turn: it loads and compiles its modules first. */
export const WORKER_START_MS = 20_000
/** Turns in which a stopping worker empties its sockets. */
export const STOP_TURNS_MAX = 64
/** Refusing endpoints that a worker remembers having reported. */
export const REFUSED_ENDPOINTS_MAX = 1_024
