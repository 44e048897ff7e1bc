/**
 * Every bound of the announcer, by name. Invariant: an address is renewed several times in its lifetime, and a
 * look that waits for everything it may wait for still ends well before the lifetime does.
 */

/** Kernel lifetime of a held address (design 5.7): so long a dead balancer's node goes on swallowing packets. */
export const LIFETIME_SECONDS = 10
/** Between two renewals: four more chances before an address is lost. */
export const RENEW_MS = 2_000
/** Between two looks at the balancer: a new address is held this soon. */
export const LOOK_MS = 500
/** No answer in this time is no proof. */
export const PROOF_TIMEOUT_MS = 300
export const PROOF_BYTES_MAX = 1024 * 1024
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

// The end
/** Between two looks while the announcer ends. */
export const STOP_LOOK_MS = 100
/** A balancer that says nothing of its end in this time stays: only the announcer ends. */
export const STOP_PATIENCE_MS = 2_000
/** Without a proof for this long, the balancer has ended. */
export const STOP_SILENCE_MS = 1_000
/** The longest wait for a balancer that ends. */
export const STOP_WAIT_MAX_MS = 60_000

// Names by which what we added is known again
/** `INTERFACE:sipcast` has to fit into the kernel's 15 characters. */
export const INTERFACE_LENGTH_MAX = 7
export const LABEL_SUFFIX = 'sipcast'
/** "SIPC": IPv6 addresses have no label; nobody else gives a loopback address this metric. */
export const IPV6_METRIC = 0x53_49_50_43
