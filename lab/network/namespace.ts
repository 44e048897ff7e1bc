/**
 * Network namespaces with a name of this run's own, deleted with it even if it is killed, unless they are to last.
 * Needs root.
 */
import { guard } from '../process/guard.ts'
import { ip, run } from './shell.ts'

export class Namespace {
  readonly name: string

  /** With its loopback up and forwarding as asked. */
  static async create(
    name: string,
    options: { forwards?: boolean; isLasting?: boolean } = {},
  ): Promise<Namespace> {
    if (options.isLasting !== true) guard.watchNamespace(name)
    await ip(`netns add ${name}`)
    const namespace = new Namespace(name)
    await namespace.ip('link set lo up')
    const forwards = options.forwards === true ? 1 : 0
    await namespace.sysctl(
      `net.ipv4.ip_forward=${forwards}`,
      `net.ipv6.conf.all.forwarding=${forwards}`,
      'net.ipv4.conf.all.rp_filter=0',
      'net.ipv4.conf.default.rp_filter=0',
      // The router sends datagrams back into the segment they came from: redirects would pin hosts to one balancer.
      'net.ipv4.conf.all.send_redirects=0',
      'net.ipv4.conf.default.send_redirects=0',
      'net.ipv4.conf.all.accept_redirects=0',
      'net.ipv4.conf.default.accept_redirects=0',
      'net.ipv6.conf.all.accept_redirects=0',
      'net.ipv6.conf.default.accept_redirects=0',
      // Addresses are usable at once, instead of after duplicate address detection.
      'net.ipv6.conf.default.accept_dad=0',
    )
    return namespace
  }

  constructor(name: string) {
    this.name = name
  }

  async ip(line: string): Promise<string> {
    return await ip(`-n ${this.name} ${line}`)
  }

  async nft(rules: string): Promise<void> {
    await run('ip', ['netns', 'exec', this.name, 'nft', '-f', '-'], rules)
  }

  async sysctl(...settings: string[]): Promise<void> {
    await run('ip', ['netns', 'exec', this.name, 'sysctl', '-qw', ...settings])
  }

  async delete(): Promise<void> {
    await ip(`netns delete ${this.name}`)
  }
}
