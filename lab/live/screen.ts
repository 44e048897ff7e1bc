/** The live view as text. Pure; main.ts decides when and where it is shown. */
import { RECENT_SECONDS, type Snapshot } from './snapshot.ts'
import type { Interaction } from './view.ts'

export const EVENTS_SHOWN = 6

export function renderScreen(snapshot: Snapshot, interaction: Interaction): string {
  const { recent, totals } = snapshot
  const perSecond = (count: number) => (count / RECENT_SECONDS).toFixed(1)
  const share =
    totals.tried === 0
      ? '–'
      : `${((100 * (totals.tried - totals.failed)) / totals.tried).toFixed(1)} %`
  return [
    `sipcast lab · registrars: ${snapshot.kind} · operator: ${snapshot.operator} · table: epoch ${snapshot.epoch ?? '–'}, last moves ${snapshot.lastMoves} · Ready: ${snapshot.ready}`,
    '',
    row(WIDTHS, ['', 'PROXY', 'PROCESS', 'HEALTH', 'SLOTS', 'USERS', 'RTT']),
    ...snapshot.proxies.map((proxy, index) =>
      row(WIDTHS, [
        index === interaction.selected ? '▶' : ' ',
        `${index + 1} ${proxy.name}`,
        proxy.process,
        proxy.health,
        String(proxy.slots),
        String(proxy.users),
        proxy.rttMs === null ? '–' : `${proxy.rttMs.toFixed(1)} ms`,
      ]),
    ),
    '',
    row(WIDTHS, ['', 'BALANCER', 'PROCESS', 'EPOCH', 'PACKETS/S', 'MARKED DEAD']),
    ...snapshot.balancers.map((balancer) =>
      row(WIDTHS, [
        ' ',
        balancer.name,
        balancer.process,
        String(balancer.epoch ?? '–'),
        String(balancer.packetsPerSecond),
        balancer.deadMarks.join(' ') || '–',
      ]),
    ),
    '',
    `${snapshot.phones} phones · calls/s ${perSecond(recent.tried)} tried, ${perSecond(recent.failed)} failed · ` +
      `all: ${totals.tried} tried, ${totals.failed} failed, ${share} good · users moved ${snapshot.usersMoved}`,
    '',
    ...interaction.events.slice(-EVENTS_SHOWN),
    '',
    KEYS,
    '',
  ].join('\n')
}

/** One line, where there is no screen to repaint. */
export function renderLine(snapshot: Snapshot, second: number): string {
  const proxies = snapshot.proxies.map(
    ({ name, process, health, slots, users }) =>
      `${name} ${process}/${health} ${slots} slots ${users} users`,
  )
  const { tried, failed } = snapshot.totals
  return `${String(second).padStart(4)} s  epoch ${snapshot.epoch ?? '–'}  calls ${tried}, failed ${failed}  ${proxies.join(' · ')}`
}

const KEYS = 'keys: 1 2 3 choose a proxy · k kill · f freeze · r revive · q quit'
const WIDTHS = [2, 16, 10, 12, 10, 12, 10]

/** Cells in columns of these widths. */
export function row(widths: readonly number[], cells: readonly string[]): string {
  return cells
    .map((cell, index) => cell.padEnd(widths[index] ?? 0))
    .join(' ')
    .trimEnd()
}
