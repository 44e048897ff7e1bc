/**
 * SIP URIs, `name-addr` values and Via values as objects, for the lab's phones and reference registrar.
 * Deliberately not @sipcast/sip: what tests the balancers must not share their reading of SIP.
 * Invariant: hosts are kept without the brackets of an IPv6 reference (RFC 3261 §25.1) and get them when written.
 */

export type Params = Map<string, string | null>

export interface SipUri {
  scheme: string
  user: string | null
  host: string
  port: number | null
  params: Params
}

/** The value of From, To, Contact, Route, Record-Route, Path, Refer-To. */
export interface NameAddr {
  display: string
  uri: string
  params: Params
}

export interface Via {
  transport: string
  host: string
  port: number | null
  params: Params
}

export interface Endpoint {
  readonly address: string
  readonly port: number
}

export const SIP_PORT = 5060

const HOST_PORT = /^(?:\[([0-9A-Fa-f:.]+)\]|([^\s:;,<>[\]]+))(?::(\d{1,5}))?$/

/** Null where it is not a SIP URI. Header parameters (`?…`) are dropped: nothing here sends or needs them. */
export function parseUri(text: string): SipUri | null {
  const match = /^(sips?):(?:([^@]*)@)?([^;?]+)((?:;[^;?]*)*)(?:\?.*)?$/i.exec(text.trim())
  if (match === null) return null
  const hostPort = parseHostPort(match[3] ?? '')
  if (hostPort === null) return null
  return {
    scheme: (match[1] ?? 'sip').toLowerCase(),
    user: match[2] ?? null,
    ...hostPort,
    params: parseParams(match[4] ?? ''),
  }
}

export function formatUri(uri: SipUri): string {
  const user = uri.user === null ? '' : `${uri.user}@`
  return `${uri.scheme}:${user}${formatHostPort(uri.host, uri.port)}${formatParams(uri.params)}`
}

export function parseNameAddr(text: string): NameAddr | null {
  const match = /^\s*((?:"(?:[^"\\]|\\.)*"|[^<"]*?)\s*)<([^>]*)>\s*(;.*)?$/s.exec(text)
  if (match !== null) {
    return {
      display: (match[1] ?? '').trim(),
      uri: (match[2] ?? '').trim(),
      params: parseParams(match[3] ?? ''),
    }
  }
  // Without angle brackets, parameters are the header's and not the URI's (RFC 3261 §20.10).
  const [uri = '', ...params] = text.trim().split(';')
  return uri === ''
    ? null
    : { display: '', uri: uri.trim(), params: parseParams(params.map((p) => `;${p}`).join('')) }
}

export function formatNameAddr(value: NameAddr): string {
  const display = value.display === '' ? '' : `${value.display} `
  return `${display}<${value.uri}>${formatParams(value.params)}`
}

export function parseVia(text: string): Via | null {
  const match = /^\s*SIP\s*\/\s*2\.0\s*\/\s*(\w+)\s+([^;]+?)\s*(;.*)?$/is.exec(text)
  if (match === null) return null
  const hostPort = parseHostPort(match[2] ?? '')
  if (hostPort === null) return null
  return {
    transport: (match[1] ?? 'UDP').toUpperCase(),
    ...hostPort,
    params: parseParams(match[3] ?? ''),
  }
}

export function formatVia(via: Via): string {
  return `SIP/2.0/${via.transport} ${formatHostPort(via.host, via.port)}${formatParams(via.params)}`
}

export function formatEndpoint(endpoint: Endpoint): string {
  return formatHostPort(endpoint.address, endpoint.port)
}

/** `a.b.c.d:p` or `[v6]:p`; the port may be left out. */
export function parseEndpoint(text: string, defaultPort = SIP_PORT): Endpoint | null {
  const hostPort = parseHostPort(text)
  return hostPort === null ? null : { address: hostPort.host, port: hostPort.port ?? defaultPort }
}

export function sameEndpoint(a: Endpoint, b: Endpoint): boolean {
  return a.address === b.address && a.port === b.port
}

/** Where a URI leads; no DNS here, so its host must be an address. */
export function endpointOf(uri: SipUri): Endpoint {
  const maddr = uri.params.get('maddr')
  return { address: maddr ?? uri.host, port: uri.port ?? SIP_PORT }
}

function parseHostPort(text: string): { host: string; port: number | null } | null {
  const match = HOST_PORT.exec(text.trim())
  if (match === null) return null
  const port = match[3] === undefined ? null : Number(match[3])
  if (port !== null && port > 65_535) return null
  return { host: match[1] ?? match[2] ?? '', port }
}

function formatHostPort(host: string, port: number | null): string {
  const bracketed = host.includes(':') ? `[${host}]` : host
  return port === null ? bracketed : `${bracketed}:${port}`
}

function parseParams(text: string): Params {
  const params: Params = new Map()
  for (const match of text.matchAll(/;\s*([^\s=;]+)\s*(?:=\s*("(?:[^"\\]|\\.)*"|[^;]*))?/g)) {
    params.set((match[1] ?? '').toLowerCase(), match[2]?.trim() ?? null)
  }
  return params
}

function formatParams(params: Params): string {
  let text = ''
  for (const [name, value] of params) text += value === null ? `;${name}` : `;${name}=${value}`
  return text
}
