/** Single keys from the terminal. */
import process from 'node:process'

/** Calls back with each key until the returned function puts the terminal back as it was. */
export function readKeys(onKey: (key: string) => void): () => void {
  const { stdin } = process
  const listen = (bytes: Buffer) => {
    for (const key of bytes.toString('utf8')) onKey(key)
  }
  stdin.setRawMode(true)
  stdin.on('data', listen)
  stdin.resume()
  return () => {
    stdin.off('data', listen)
    stdin.setRawMode(false)
    stdin.pause()
  }
}
