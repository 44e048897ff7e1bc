/**
 * What the three programs of a balancer's pod may do to the node and to each other where they announce: by what the
 * kernel says of their processes, and by trying, each with its own rights. What is made is taken away again.
 * Not here: what is to be expected (anycast.test.ts), the API (security.test.ts).
 */
import { type ClusterNode, type Kubectl, type Pod, runProgram } from '@sipcast/lab'
import { type Container, Inside } from './inside.ts'

/** Of the documentation's networks; nobody's here. */
const STRANGE_ADDRESS = '198.51.100.77/32'
const STRANGE_ROUTE = '198.51.100.128/25'
/** A BIRD that would put a route into the kernel; its log says what became of it. */
const ROUTING = `log stderr all;
router id 198.51.100.1;
protocol device { }
protocol static { ipv4; route ${STRANGE_ROUTE} blackhole; }
protocol kernel { ipv4 { export all; }; }`

export interface Privileges {
  readonly Uid: number
  readonly Gid: number
  readonly CapEff: bigint
  readonly CapPrm: bigint
  readonly CapInh: bigint
  readonly CapAmb: bigint
  readonly CapBnd: bigint
  readonly Seccomp: number
}

export class AnnouncingRights {
  readonly #inside: Inside
  readonly #pod: string
  readonly #node: string

  constructor(kubectl: Kubectl, pod: Pod, { name }: ClusterNode) {
    this.#inside = new Inside(kubectl)
    this.#pod = pod.metadata.name
    this.#node = name
  }

  /** Of the process that is called so. */
  async of(container: string, process: string): Promise<Privileges> {
    const processes = await this.#inside.processes(this.#container(container))
    const status = processes.get(process)
    if (status === undefined) {
      throw new Error(`no ${process} among ${[...processes.keys()].join(', ')}`)
    }
    const set = (name: string) => BigInt(`0x${status[name]}`)
    const number = (name: string) => Number(status[name]?.split('\t', 1)[0])
    return {
      Uid: number('Uid'),
      Gid: number('Gid'),
      CapEff: set('CapEff'),
      CapPrm: set('CapPrm'),
      CapInh: set('CapInh'),
      CapAmb: set('CapAmb'),
      CapBnd: set('CapBnd'),
      Seccomp: number('Seccomp'),
    }
  }

  /** The program that the announcer changes addresses by; what it said, and whether the address was there. */
  async addsAddress(
    container: string,
  ): Promise<{ readonly isDone: boolean; readonly said: string }> {
    const change = (verb: string) => `/usr/lib/sipcast/ip address ${verb} ${STRANGE_ADDRESS} dev lo`
    const script = `${change('add')} 2>&1; ip address show lo; ${change('delete')} 2>&1; true`
    const said = await this.#shell(container, script)
    return { isDone: said.includes(STRANGE_ADDRESS), said }
  }

  /** BIRD's program with BIRD's rights; what it said, and whether the node has the route. */
  async addsRoute(): Promise<{ readonly isDone: boolean; readonly said: string }> {
    const at = '/run/bird/control/attempt'
    const said = await this.#shell(
      'bird',
      `echo '${ROUTING}' >${at}.conf
       timeout 3 bird -f -c ${at}.conf -s ${at}.ctl 2>&1
       rm -f ${at}.*`,
    )
    const routes = ['exec', this.#node, 'ip', 'route', 'show', STRANGE_ROUTE]
    return { isDone: (await runProgram('docker', routes)).trim() !== '', said }
  }

  /** What became of writing into each folder, in the shell's words; `written`. */
  async writes(container: string, folders: readonly string[]): Promise<Record<string, string>> {
    const outcomes = folders.map(async (folder) => {
      const file = `${folder.replace(/\/?$/, '/')}sipcast-test`
      const script = `(: >${file}) 2>&1 && rm ${file} && echo written; true`
      const said = (await this.#shell(container, script)).trim()
      return [folder, said.split(': ').at(-1) ?? ''] as const
    })
    return Object.fromEntries(await Promise.all(outcomes))
  }

  /** Those of these paths that there are. */
  async sees(container: string, paths: readonly string[]): Promise<readonly string[]> {
    const said = await this.#shell(container, `ls -d ${paths.join(' ')} 2>/dev/null; true`)
    return said.split('\n').filter((path) => path !== '')
  }

  #container(name: string): Container {
    return { pod: this.#pod, name }
  }

  async #shell(container: string, script: string): Promise<string> {
    return await this.#inside.run(this.#container(container), 'sh', '-c', script)
  }
}
