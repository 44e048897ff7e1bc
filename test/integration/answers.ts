/**
 * Which proxy answers to each of these users, asked from one place, once. Not here: watching it over time
 * (route-watch.ts).
 */
import {
  type Endpoint,
  eventually,
  type Node,
  openSocket,
  parseMessage,
  servedBy,
} from '@sipcast/lab'
import { optionsTo } from './route-watch.ts'

export interface Asking {
  readonly place: Node
  readonly target: Endpoint
  readonly domain: string
}

export async function answersTo(
  users: readonly string[],
  { place, target, domain }: Asking,
): Promise<ReadonlyMap<string, string | null>> {
  const socket = await openSocket(place.ipv4, 0, place.namespace)
  const answers = new Map<string, string | null>()
  socket.on('message', (bytes) => {
    const text = bytes.toString()
    const number = /^Call-ID: answer-(\d+)$/im.exec(text)?.[1]
    const user = users[Number(number)]
    // Without a Server it is the balancer's own refusal.
    if (user !== undefined) answers.set(user, servedBy(parseMessage(text))[0] ?? null)
  })
  const ask = () => {
    for (const [index, user] of users.entries()) {
      if (answers.has(user)) continue
      const request = optionsTo(`${user}@${domain}`, socket, `answer-${index}`)
      socket.send(request, target.port, target.address)
    }
    return answers.size === users.length
  }
  await eventually(`answers to ${users.length} users`, ask)
  socket.close()
  return answers
}
