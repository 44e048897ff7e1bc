/**
 * Says something in the announcer's place to the balancer beside it, and has its proof. Not here: what is said.
 */
import { request } from 'node:http'
import type { Announcement } from '../dataplane/announcement.ts'
import { parseProof, type Proof } from '../dataplane/proof.ts'

export async function announce(socketPath: string, announcement: Announcement): Promise<Proof> {
  const text = await new Promise<string>((resolve, reject) => {
    const asked = request({ socketPath, path: '/proof', method: 'POST' }, (response) => {
      let answer = ''
      response.setEncoding('utf8').on('data', (chunk: string) => {
        answer += chunk
      })
      response.on('end', () => resolve(answer))
    })
    asked.on('error', reject).end(JSON.stringify(announcement))
  })
  const proof = parseProof(text)
  if (proof === null) throw new Error(`no proof: ${text}`)
  return proof
}
