/**
 * `explain`: reads tables, keys and one message, and says what would become of it.
 * Not here: the answer itself (`explain.ts`). Invariant: reads only; a table that a balancer would refuse is
 * left out, and said.
 */

import { readFile } from 'node:fs/promises'
import { buffer } from 'node:stream/consumers'
import { decodeTable, type Table } from '@sipcast/mapping'
import { ENDPOINT_WORDS, parseEndpointText } from '@sipcast/sip'
import { isIPv4Text } from '../address-text.ts'
import type { ExplainConfig } from '../config.ts'
import { explain, type Explanation } from '../explain.ts'
import { parseKeys } from '../keys.ts'
import { StoreError, StoreErrorCode } from '../ports.ts'
import { Directory } from './directory.ts'
import { storeErrorOf } from './store-error.ts'

// Documentation addresses (RFC 5737, RFC 3849): nobody's, so surely a phone's.
const SOMEBODY = '192.0.2.1:5060'
const SOMEBODY6 = '[2001:db8::1]:5060'

export interface ExplainedFile {
  readonly explanation: Explanation
  /** One sentence for each table or keys document left out. */
  readonly warnings: readonly string[]
}

/** Fails with StoreError where the directory, its keys or the message can't be read. */
export async function explainFile(config: ExplainConfig): Promise<ExplainedFile> {
  const directory = new Directory(config.directory, 'explain')
  const warnings: string[] = []
  const tables = await readTables(directory, warnings)
  const keysText = await directory.readKeys()
  const keys = keysText === null ? null : parseKeys(keysText)
  if (keys === null || 'reason' in keys) {
    warnings.push(keys?.message ?? 'there is no keys.json: no token can be written or checked')
  }
  const { from, to } = endpointsOf(config, tables)
  const explanation = explain({
    tables,
    keys: keys !== null && 'keys' in keys ? keys.keys : [],
    message: await readMessage(config.file),
    from: words(from),
    to: words(to),
    nowMs: Date.now(),
  })
  return { explanation, warnings }
}

async function readTables(directory: Directory, warnings: string[]): Promise<readonly Table[]> {
  const tables: Table[] = []
  for (const { id } of await directory.list()) {
    const document = await directory.read(id)
    const decoded = decodeTable(document ?? '')
    if (!decoded.ok) warnings.push(`table ${id}: ${decoded.error.message}`)
    else if (!decoded.table.removed) tables.push(decoded.table)
  }
  return tables
}

/**
 * What the arguments leave open: the first address served, in the sender's IP version, and a phone that is
 * nobody's.
 */
function endpointsOf(
  { from, to }: ExplainConfig,
  tables: readonly Table[],
): { readonly from: string; readonly to: string } {
  const served = tables.flatMap(({ addresses, port }) =>
    addresses.map((address) =>
      isIPv4Text(address) ? `${address}:${port}` : `[${address}]:${port}`,
    ),
  )
  const isIPv6 = (endpoint: string): boolean => endpoint.startsWith('[')
  const ours =
    to ??
    served.find((one) => from === null || isIPv6(one) === isIPv6(from)) ??
    served[0] ??
    SOMEBODY
  return { from: from ?? (isIPv6(ours) ? SOMEBODY6 : SOMEBODY), to: ours }
}

async function readMessage(file: string): Promise<Uint8Array> {
  try {
    return file === '-' ? await buffer(process.stdin) : await readFile(file)
  } catch (cause) {
    throw storeErrorOf(cause, `cannot read ${file}`)
  }
}

function words(endpoint: string): Int32Array {
  const out = new Int32Array(ENDPOINT_WORDS)
  if (parseEndpointText(endpoint, out, 0)) return out
  throw new StoreError(StoreErrorCode.unavailable, `${endpoint} is no endpoint`)
}
