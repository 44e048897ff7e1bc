/** Every bound of what is between the announcer and BIRD, by name; the timers are those of design section 5.7. */

/** Where the announced copies of the addresses are: the only link whose addresses BIRD looks at. */
export const ANNOUNCE_LINK = 'dummy-sipcast'

/** TCP port of BGP. */
export const BGP_PORT = 179

/** BIRD's own defaults are 5, 120, and 60 to 300 s: a router that restarts would be away for minutes. */
export const CONNECT_DELAY_SECONDS = 1
export const CONNECT_RETRY_SECONDS = 5
export const ERROR_WAIT_SECONDS = { min: 1, max: 10 } as const

/** BIRD is told of every change of an interface; this look finds what was missed. */
export const DEVICE_SCAN_SECONDS = 10

/** TCP_MD5SIG_MAXKEYLEN of Linux. */
export const PASSWORD_LENGTH_MAX = 80

/** BgpPeers that one node talks to; as many as the status of a SipBalancer has room for. */
export const PEERS_MAX = 64

/** Between two looks at BIRD while sessions change, and for so long after that. */
export const KEEP_FAST_MS = 250
export const KEEP_FAST_FOR_MS = 10_000
/** No look has ended for this long; each has less than ten things to wait for. */
export const KEEP_HUNG_MS = 20_000
/** Between two attempts at a session that BIRD has given up; it logs each. */
export const ENABLE_MS = 5_000
export const PASSWORD_BYTES_MAX = 1_024
/** A password that cannot be read holds up for so long whatever else has changed. */
export const PASSWORD_PATIENCE_MS = 10_000
export const MANIFEST_BYTES_MAX = 4 * 1024 * 1024
export const MANIFEST_DOCUMENTS_MAX = 4_096
/** A manifest that is away for less is being written. */
export const MISSING_MS = 500

/** For one command on the control socket, connecting included. */
export const COMMAND_TIMEOUT_MS = 2_000
/** Of one reply: 1024 addresses at 64 peers stay below. */
export const REPLY_BYTES_MAX = 8 * 1024 * 1024
/** Of BIRD's own words that are passed on to people. */
export const WORDS_LENGTH_MAX = 1_024

/** BIRD counts back to the time of a change whenever it is asked, and comes out a little earlier or later. */
export const SINCE_JITTER_MS = 50
