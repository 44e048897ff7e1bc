/**
 * The pods of all namespaces, found by the selectors of SipProxies. A change of one pod costs what the SipProxies cost
 * that may want it, not what all cost: selections are looked up by one label that their matches must have.
 * Not here: where pods come from (cluster.ts), what is kept of them (pod.ts).
 * Invariant: a SipProxy is told of a pod exactly when it is among its pods before or after the change.
 */
import type { LabelSelector } from '@sipcast/crds'
import type { Key, Pod, PodGate } from '../../ports.ts'
import { labelText, matches, requiredLabel } from './label-selector.ts'
import type { KeptPod } from './pod.ts'

interface Selection {
  readonly key: Key
  readonly selector: LabelSelector
  /** Of the selector, to recognise it. */
  readonly text: string
  /** By name. */
  readonly pods: Map<string, Pod>
}

interface Namespace {
  readonly pods: Map<string, KeptPod>
  /** By the label that a match must have; '' = any pod may match. */
  readonly selections: Map<string, Set<Selection>>
}

export class PodIndex {
  readonly #onChange: (key: Key) => void
  readonly #namespaces = new Map<string, Namespace>()
  readonly #selections = new Map<Key, Selection>()

  constructor(onChange: (key: Key) => void) {
    this.#onChange = onChange
  }

  /** The pods that match; from now on this SipProxy is told of changes. */
  select(key: Key, selector: LabelSelector): readonly Pod[] {
    const text = JSON.stringify(selector)
    const last = this.#selections.get(key)
    if (last?.text === text) return [...last.pods.values()]
    this.deselect(key)
    const namespace = this.#namespaceOf(namespaceName(key))
    const pods = new Map<string, Pod>()
    for (const [name, pod] of namespace.pods) {
      if (matches(selector, pod.labels)) pods.set(name, pod)
    }
    const selection = { key, selector, text, pods }
    const label = requiredLabel(selector) ?? ''
    namespace.selections.set(label, (namespace.selections.get(label) ?? new Set()).add(selection))
    this.#selections.set(key, selection)
    return [...pods.values()]
  }

  deselect(key: Key): void {
    const last = this.#selections.get(key)
    if (last === undefined) return
    this.#selections.delete(key)
    const { selections } = this.#namespaceOf(namespaceName(key))
    const label = requiredLabel(last.selector) ?? ''
    selections.get(label)?.delete(last)
    if (selections.get(label)?.size === 0) selections.delete(label)
  }

  /** Takes what a pod is now; null: it is gone. */
  put(namespaceText: string, name: string, pod: KeptPod | null): void {
    const namespace = this.#namespaceOf(namespaceText)
    const last = namespace.pods.get(name) ?? null
    if (last !== null && pod !== null && samePod(last, pod)) return
    if (pod === null) namespace.pods.delete(name)
    else namespace.pods.set(name, pod)
    for (const selection of selectionsFor(namespace, [last, pod])) {
      const wasThere = selection.pods.delete(name)
      const isThere = pod !== null && matches(selection.selector, pod.labels)
      if (isThere) selection.pods.set(name, pod)
      if (wasThere || isThere) this.#onChange(selection.key)
    }
    if (namespace.pods.size === 0 && namespace.selections.size === 0) {
      this.#namespaces.delete(namespaceText)
    }
  }

  /**
   * What our gate will say once it is written; nobody is told, for it is no news. @param now ISO. Returns since when it
   * has that status; null where there is no such pod any more.
   */
  noteGate(namespaceText: string, { name, uid }: Pod, gate: PodGate, now: string): string | null {
    const namespace = this.#namespaces.get(namespaceText)
    const last = namespace?.pods.get(name)
    if (namespace === undefined || last?.uid !== uid) return null
    const isSame = last.gate?.status === gate.status && last.gateSince !== ''
    const pod = { ...last, gate, gateSince: isSame ? last.gateSince : now }
    namespace.pods.set(name, pod)
    for (const { pods } of selectionsFor(namespace, [pod])) if (pods.has(name)) pods.set(name, pod)
    return pod.gateSince
  }

  #namespaceOf(name: string): Namespace {
    const known = this.#namespaces.get(name)
    if (known !== undefined) return known
    const namespace: Namespace = { pods: new Map(), selections: new Map() }
    this.#namespaces.set(name, namespace)
    return namespace
  }
}

function selectionsFor(
  { selections }: Namespace,
  pods: readonly (KeptPod | null)[],
): ReadonlySet<Selection> {
  const labels = pods.flatMap((pod) =>
    Object.entries(pod?.labels ?? {}).map(([key, value]) => labelText(key, value)),
  )
  const found = new Set<Selection>()
  for (const label of ['', ...labels]) {
    for (const selection of selections.get(label) ?? []) found.add(selection)
  }
  return found
}

/** Most changes of a pod's status are none to us. */
function samePod(a: KeptPod, b: KeptPod): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}

function namespaceName(key: Key): string {
  return key.slice(0, key.indexOf('/'))
}
