/**
 * What an object, or all of a kind, went through: each version that the API server told of, with the time it was told
 * (performance.now(), as in a load's calls). Not here: what of it matters.
 */
import { type ApiObject, ApiServer, kubeconfigAccess, ListWatch } from '@sipcast/kube'
import { systemClock } from '@sipcast/net'

export interface Moment<T> {
  readonly atMs: number
  /** `NAMESPACE/NAME`, or `NAME`. */
  readonly id: string
  /** Null: it is gone. */
  readonly value: T | null
}

export class Timeline<T> {
  readonly moments: Moment<T>[] = []
  readonly #api: ApiServer
  readonly #watch: ListWatch<T>

  /** `path` is one of @sipcast/kube's; `take` keeps what matters. Resolves when all that is there was told. */
  static async of<T>(
    kubeconfig: string,
    path: string,
    take: (object: ApiObject) => T,
    onMoment: (moment: Moment<T>) => void = () => undefined,
  ): Promise<Timeline<T>> {
    const api = new ApiServer({ access: await kubeconfigAccess(kubeconfig) })
    const timeline = new Timeline<T>(api, path, take, onMoment)
    await timeline.#watch.synced()
    return timeline
  }

  constructor(
    api: ApiServer,
    path: string,
    take: (object: ApiObject) => T,
    onMoment: (moment: Moment<T>) => void,
  ) {
    this.#api = api
    this.#watch = new ListWatch({
      api,
      path,
      take,
      onChange: (id, value) => {
        const moment = { atMs: performance.now(), id, value }
        this.moments.push(moment)
        onMoment(moment)
      },
      clock: systemClock,
      random: Math.random,
    })
    this.#watch.start()
  }

  /** The first moment after this time that is so. */
  after(sinceMs: number, isSo: (moment: Moment<T>) => boolean): Moment<T> | null {
    return this.moments.find((moment) => moment.atMs >= sinceMs && isSo(moment)) ?? null
  }

  /** As it is now; null where it is gone or never was. */
  latest(id: string): T | null {
    return this.moments.findLast((moment) => moment.id === id)?.value ?? null
  }

  /** What there is now, by id. */
  get present(): Map<string, T> {
    const present = new Map<string, T>()
    for (const { id, value } of this.moments) {
      if (value === null) present.delete(id)
      else present.set(id, value)
    }
    return present
  }

  stop(): void {
    this.#watch.stop()
    this.#api.close()
  }
}
