/** What `kubectl auth can-i --list` says of an account of the product's, without what every account may do. */
import { type Kubectl, NAMESPACE } from '@sipcast/lab'

const NOBODY = 'sipcast-test-nobody'

/** `RESOURCE [NAMES]: VERBS`, in order. */
export async function rightsOf(
  kubectl: Kubectl,
  account: string,
  namespace: string,
): Promise<readonly string[]> {
  const everybodys = await listed(kubectl, NOBODY, namespace)
  const its = await listed(kubectl, account, namespace)
  return [...its].filter((right) => !everybodys.has(right)).toSorted()
}

async function listed(
  kubectl: Kubectl,
  account: string,
  namespace: string,
): Promise<ReadonlySet<string>> {
  const as = `--as=system:serviceaccount:${NAMESPACE}:${account}`
  const printed = await kubectl.run('auth', 'can-i', '--list', '--no-headers', as, '-n', namespace)
  return new Set(printed.trim().split('\n').map(rightOf))
}

/** A line is a resource or nothing, then three lists: URLs, names, verbs. */
function rightOf(line: string): string {
  const [, resource = '', urls = '', names = '', verbs = ''] =
    /^(\S*)\s+\[(.*?)\]\s+\[(.*?)\]\s+\[(.*?)\]\s*$/.exec(line) ?? []
  const what = `${resource}${urls}`
  if (what === '') throw new Error(`kubectl auth can-i --list prints: ${line}`)
  const list = verbs.split(' ').toSorted().join(' ')
  return `${what}${names === '' ? '' : ` [${names}]`}: ${list}`
}
