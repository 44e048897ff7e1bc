/**
 * The answer to a watch as events, line by line. Not here: the connection, and how long it may be silent
 * (connections.ts).
 */
import { ApiError, ApiErrorCode, errorOfStatus } from './api-error.ts'
import type { ApiObject } from './api-object.ts'
import { EVENT_BYTES_MAX } from './limits.ts'

export interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK'
  readonly object: ApiObject
}

/** @throws ApiError `gone` (or what else an ERROR event says), `invalid` at a line that is no event */
export async function* readEvents(chunks: AsyncIterable<Buffer>): AsyncGenerator<WatchEvent> {
  for await (const line of readLines(chunks)) yield parseEvent(line)
}

async function* readLines(chunks: AsyncIterable<Buffer>): AsyncGenerator<string> {
  let parts: Buffer[] = []
  let size = 0
  for await (const chunk of chunks) {
    let start = 0
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
      parts.push(chunk.subarray(start, end))
      yield Buffer.concat(parts).toString()
      parts = []
      size = 0
      start = end + 1
    }
    if (start === chunk.length) continue
    parts.push(chunk.subarray(start))
    size += chunk.length - start
    if (size > EVENT_BYTES_MAX) throw notUnderstood(`more than ${EVENT_BYTES_MAX} bytes`)
  }
}

const types: readonly unknown[] = ['ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK']

function parseEvent(line: string): WatchEvent {
  const event = parseJson(line) as { type?: unknown; object?: { metadata?: unknown } } | null
  if (event?.type === 'ERROR') {
    const { code } = (event.object ?? {}) as { code?: number }
    throw errorOfStatus(code ?? 500, event.object)
  }
  if (!types.includes(event?.type) || typeof event?.object?.metadata !== 'object') {
    throw notUnderstood(line.slice(0, 80))
  }
  return event as WatchEvent
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch (cause) {
    throw notUnderstood(line.slice(0, 80), cause)
  }
}

function notUnderstood(what: string, cause?: unknown): ApiError {
  const message = `the API server sent what is no event: ${what}`
  return new ApiError(message, { code: ApiErrorCode.invalid, reason: 'NoEvent', cause })
}
