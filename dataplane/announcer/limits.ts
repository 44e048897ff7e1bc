/**
 * Every bound of the announcer, by name; what is between it and BIRD has its own (`bird/limits.ts`). Invariant: an
 * address is renewed several times in its lifetime, and a look that waits for everything it may wait for still
 * ends before a held address does.
 */

/** Kernel lifetime of a held address (design 5.7): so long a dead balancer's node goes on swallowing packets. */
export const LIFETIME_SECONDS = 10
/** Between two renewals: four more chances before an address is lost. */
export const RENEW_MS = 2_000
/** Between two looks at the balancer: what it says has its effect this soon. */
export const LOOK_MS = 200
/** No answer in this time is no proof. */
export const PROOF_TIMEOUT_MS = 300
/** Hundreds of BgpPeers, each as large as it may be, are no reason to know nothing of the balancer. */
export const PROOF_BYTES_MAX = 8 * 1024 * 1024
/** A proof older than this renews nothing: this process was frozen between asking and renewing. */
export const PROOF_AGE_MAX_MS = 3_000
/** For one run of `ip`. */
export const IP_TIMEOUT_MS = 1_500
/** Of what `ip` lists: nodes with thousands of addresses exist. */
export const IP_OUTPUT_BYTES_MAX = 16 * 1024 * 1024
/** Held at once; addresses beyond are refused. */
export const ADDRESSES_MAX = 1_024
/** No look has ended for this long: the announcer hangs. */
export const LOOK_HUNG_MS = 5_000

// Announced copies (design 5.7)
/** Kernel lifetime of a copy: the dead-man's switch. */
export const COPY_LIFETIME_SECONDS = 2
/** Between two renewals of a copy; a look more or less does not matter. */
export const COPY_RENEW_MS = 600
/** A proof older than this renews no copy. Together with the lifetime: the longest that a dead node is announced. */
export const COPY_PROOF_AGE_MAX_MS = 500
/** After a longer pause a copy may have lapsed: it is looked for before it is renewed. */
export const COPY_BLIND_MAX_MS = 1_500
/** The last lifetime, of an announcer that ends while the balancer goes on: its successor finds the copies. */
export const HANDOVER_LIFETIME_SECONDS = 5
/** An address that no router is told of for so long is a trouble; BIRD is asked once a second. */
export const EXPORT_PATIENCE_MS = 5_000
/** Between asking routers to turn to others and the withdrawal. */
export const SHUTDOWN_MS = 1_000

// What the balancer is told
export const PROBLEMS_MAX = 16
export const PROBLEM_LENGTH_MAX = 1_024

// The end
/** Between two looks, from the signal until the balancer says that it ends, too: routers are to turn away at once. */
export const STOP_LOOK_MS = 25
/** The same, until it has ended. */
export const STOP_WAIT_LOOK_MS = 100
/** A balancer that says nothing of its end in this time stays: only the announcer ends. */
export const STOP_PATIENCE_MS = 2_000
/** Without a proof for this long, the balancer has ended. */
export const STOP_SILENCE_MS = 1_000
/** The longest wait for a balancer that ends. */
export const STOP_WAIT_MAX_MS = 60_000

/** The kernel's: of the path of a unix socket. */
export const SOCKET_BYTES_MAX = 107

// Names by which what we added is known again
/** `INTERFACE:sipcast` has to fit into the kernel's 15 characters. */
export const INTERFACE_LENGTH_MAX = 7
export const LABEL_SUFFIX = 'sipcast'
/** "SIPC": IPv6 addresses have no label; nobody else gives a loopback address this metric. */
export const IPV6_METRIC = 0x53_49_50_43
