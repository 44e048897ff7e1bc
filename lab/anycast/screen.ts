/** The live view of the anycast lab as text. Pure; main.ts decides when and where it is shown. */
import { EVENTS_SHOWN, row } from '../live/screen.ts'
import type { Interaction } from '../live/view.ts'
import type { AnycastSnapshot, NodeView } from './snapshot.ts'

const NODE_WIDTHS = [1, 14, 9, 9, 9, 9, 6, 10, 52]
const ROUTER_WIDTHS = [1, 14, 9, 40, 40]

/** What the keys do, by name of the fault. */
export const FAULT_KEYS: Readonly<Record<string, string>> = {
  k: 'balancer-killed',
  f: 'balancer-frozen',
  w: 'worker-hung',
  e: 'loop-blocked',
  d: 'drain',
  m: 'maintenance',
  a: 'announcer-killed',
  b: 'bird-killed',
  s: 'node-silent',
  l: 'link-down',
  x: 'router-restarted',
}

export function renderAnycastScreen(snapshot: AnycastSnapshot, interaction: Interaction): string {
  const { epoch, proxies, nodes, routers } = snapshot
  return [
    `sipcast lab · anycast · table: epoch ${epoch ?? '–'} · proxies up: ${proxies}`,
    '',
    row(NODE_WIDTHS, [
      '',
      'NODE',
      'BALANCER',
      'ANNOUNCER',
      'BIRD',
      'ANNOUNCED',
      'EPOCH',
      'PACKETS/S',
      'BGP/BFD',
      'FAULTS',
    ]),
    ...nodes.map((node, index) =>
      row(NODE_WIDTHS, [index === interaction.selected ? '▶' : ' ', ...cellsOf(node, index)]),
    ),
    '',
    row(ROUTER_WIDTHS, ['', 'ROUTER', 'BIRD', 'NEXT HOPS IPv4', 'NEXT HOPS IPv6']),
    ...routers.map(({ name, state, ipv4, ipv6 }) =>
      row(ROUTER_WIDTHS, [' ', name, state, ipv4.join(' ') || 'none', ipv6.join(' ') || 'none']),
    ),
    '',
    `calls/s ${snapshot.callsPerSecond.toFixed(1)} · calls ${snapshot.calls}, lost ${snapshot.callsLost} · ` +
      `single requests ${snapshot.requests}, unanswered ${snapshot.unanswered}`,
    '',
    ...interaction.events.slice(-EVENTS_SHOWN),
    '',
    KEYS,
    '',
  ].join('\n')
}

/** One line, where there is no screen to repaint. */
export function renderAnycastLine(snapshot: AnycastSnapshot, second: number): string {
  const routers = snapshot.routers.map(
    ({ name, ipv4, ipv6 }) => `${name} → ${ipv4.length} (IPv4) ${ipv6.length} (IPv6)`,
  )
  return (
    `${String(second).padStart(4)} s  epoch ${snapshot.epoch ?? '–'}  calls ${snapshot.calls}, lost ${snapshot.callsLost}  ` +
    `requests ${snapshot.requests}, unanswered ${snapshot.unanswered}  ${routers.join(' · ')}`
  )
}

function cellsOf(node: NodeView, index: number): readonly string[] {
  return [
    `${index + 1} ${node.name}`,
    node.balancer,
    node.announcer,
    node.bird,
    `${node.announced}/${node.held}`,
    String(node.epoch ?? '–'),
    String(node.packets),
    node.sessions.join(' ') || '–',
    node.faults.join(' '),
  ]
}

const KEYS =
  'keys: 1 2 3 choose a node · its balancer: k kill · f freeze · w hang its worker · e block its event loop · ' +
  'd drain · m maintenance\n' +
  '      a kill its announcer · b kill its BIRD · s silence it · l pull its cable · x restart router-b · ' +
  'r mend all that was done to it · q quit'
