/** The errno values that ports report; Linux's numbers, the same on x86-64 and arm64, in every skin. */

export const Errno = {
  notPermitted: 1,
  badSocket: 9,
  again: 11,
  accessDenied: 13,
  invalid: 22,
  tooManyFilesInSystem: 23,
  tooManyFiles: 24,
  messageSize: 90,
  familyUnsupported: 97,
  addressInUse: 98,
  addressAbsent: 99,
  networkUnreachable: 101,
  noBuffers: 105,
  refused: 111,
  hostUnreachable: 113,
} as const
export type Errno = (typeof Errno)[keyof typeof Errno]

/** Of ICMP errors: others tell of local trouble, or of the path's size. */
export function isAboutPeer(errno: number): boolean {
  return (
    errno === Errno.refused || errno === Errno.hostUnreachable || errno === Errno.networkUnreachable
  )
}
