/**
 * A list-and-watch of ConfigMaps over a fake API server, with a mirror built from what it told: what it keeps, what it
 * told and what the server holds must come out the same.
 */
import { type ApiObject, ApiServer, ListWatch, type ListWatchOptions, paths } from '@sipcast/kube'
import { FakeApiServer } from '@sipcast/lab'
import { systemClock } from '@sipcast/net'
import { expect } from 'vitest'
import { namespace } from './skin.ts'

/** What the design promises once the API server is back. */
const CAUGHT_UP_MS_MAX = 2_000

export class Follower {
  readonly fake: FakeApiServer
  readonly api: ApiServer
  readonly listWatch: ListWatch<string>
  /** Built from changes alone. */
  readonly mirror = new Map<string, string>()
  readonly troubles: (string | null)[] = []
  /** Changes that did not go on from the one before. */
  readonly breaks: string[] = []

  static async open(options: Partial<ListWatchOptions<string>> = {}): Promise<Follower> {
    return new Follower(await FakeApiServer.start({ bookmarkMs: 500 }), options)
  }

  private constructor(fake: FakeApiServer, options: Partial<ListWatchOptions<string>>) {
    this.fake = fake
    this.api = new ApiServer({ access: fake.access })
    this.listWatch = new ListWatch({
      api: this.api,
      path: paths.configMaps(namespace),
      take: valueOf,
      onChange: (id, value, last) => this.#note(id, value, last),
      onTrouble: (message) => void this.troubles.push(message),
      clock: systemClock,
      random: Math.random,
      ...options,
    })
  }

  async started(): Promise<this> {
    this.listWatch.start()
    await this.listWatch.synced()
    return this
  }

  /** Past all faults, as another client of a healthy replica would. */
  write(name: string, value: string): void {
    this.fake.put(paths.configMap(namespace, name), { metadata: { name }, data: { value } })
  }

  remove(name: string): void {
    this.fake.take(paths.configMap(namespace, name))
  }

  get held(): Record<string, string> {
    const objects = this.fake.objects(paths.configMaps(namespace))
    return Object.fromEntries(
      objects.map((object) => [`${namespace}/${object.metadata.name}`, valueOf(object)]),
    )
  }

  get kept(): Record<string, string> {
    return Object.fromEntries(this.listWatch.entries())
  }

  /** Waits until what is kept is what the server holds; at most as long as promised. */
  async caughtUp(): Promise<void> {
    const { held } = this
    await expect.poll(() => this.kept, { timeout: CAUGHT_UP_MS_MAX, interval: 10 }).toEqual(held)
    expect(Object.fromEntries(this.mirror)).toEqual(held)
    expect(this.breaks).toEqual([])
  }

  async close(): Promise<void> {
    this.listWatch.stop()
    this.api.close()
    await this.fake.goAway()
  }

  #note(id: string, value: string | null, last: string | null): void {
    if ((this.mirror.get(id) ?? null) !== last) this.breaks.push(`${id}: ${last} -> ${value}`)
    if (value === null) this.mirror.delete(id)
    else this.mirror.set(id, value)
  }
}

function valueOf(object: ApiObject): string {
  return (object['data'] as { value: string }).value
}
