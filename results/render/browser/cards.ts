// The figures at the top: what was seen, lost, sampled, what it cost, and warnings. Neighbours: page.ts.

import { formatAmount, formatCount, formatShare } from '../../units.ts';
import { exact } from '../amounts.ts';
import type { ReportHead } from '../report-data.ts';
import { type Child, h } from './dom.ts';

const reasons: Record<string, string> = {
  RingFull: 'the ring between kernel and agent was full: raise the memory budget or trace fewer containers',
  MapFull: "the kernel's table was full: more distinct keys than it has room for",
  Budget: 'the budget for events was spent',
  Sampled: 'left out by sampling, evenly',
  StackUnavailable: 'the call stack could not be read',
  DiskFull: 'no room on the disk of the node',
  Rate: 'more a second than the rate limit lets through',
};

function card(title: string, value: string, hover: string, ...more: Child[]): HTMLElement {
  return h(
    'div',
    { class: 'card' },
    h('h3', {}, title),
    h('p', { class: 'figure', title: hover }, value),
    h('p', { class: 'muted' }, ...more),
  );
}

/** All cards, then losses and warnings where there are any. */
export function cards(head: ReportHead): HTMLElement {
  const { events, overhead } = head;
  const [seen, recorded, lost] = [BigInt(events.seen), BigInt(events.recorded), BigInt(events.lost)];
  const [programs, agent] = [BigInt(overhead.programsCpuNs), BigInt(overhead.agentCpuNs)];
  const duration = BigInt(head.completionTime) - BigInt(head.startTime);
  const cores = (ns: bigint) => (duration === 0n ? '' : `${formatShare(ns, duration)} of one core`);
  const lostCard = card(
    'Lost',
    formatCount(lost),
    exact(lost, 'events'),
    lost === 0n ? 'nothing was lost' : `${formatShare(lost, seen)} of what was seen`,
  );
  lostCard.classList.add(lost === 0n ? 'good' : 'bad');
  const sampled = card(
    'Sampling',
    events.sampledBy === 1 ? 'none' : `1 of ${events.sampledBy}`,
    '',
    events.sampledBy === 1 ? 'every event counts' : 'to stay within the budget',
  );
  if (events.sampledBy !== 1) sampled.classList.add('warn');
  return h(
    'section',
    { 'aria-label': 'Summary' },
    h(
      'div',
      { class: 'cards' },
      card('Seen', formatCount(seen), exact(seen, 'events'), 'events in scope'),
      card(
        'Recorded',
        formatCount(recorded),
        exact(recorded, 'events'),
        seen === 0n ? '' : `${formatShare(recorded, seen)} of them`,
      ),
      lostCard,
      sampled,
      card(
        'Programs took',
        formatAmount(programs, 'ns'),
        exact(programs, 'ns'),
        `${cores(programs)}, ${formatCount(BigInt(overhead.hits))} hits`,
      ),
      card('Agent took', formatAmount(agent, 'ns'), exact(agent, 'ns'), `CPU, ${cores(agent)}`),
      card(
        'Memory',
        formatAmount(BigInt(overhead.memoryBytes), 'bytes'),
        exact(BigInt(overhead.memoryBytes), 'bytes'),
        'at most, kernel and agent',
      ),
    ),
    lossTable(head),
    warnings(head),
  );
}

function lossTable(head: ReportHead): HTMLElement | undefined {
  const { losses } = head.events;
  if (losses.length === 0) return undefined;
  const rows = losses
    .toSorted((a, b) => Number(BigInt(b.count) - BigInt(a.count)))
    .map((loss) =>
      h(
        'tr',
        {},
        h('td', { class: 'number' }, formatCount(BigInt(loss.count))),
        h('td', {}, loss.owner),
        h('td', {}, h('b', {}, loss.reason), ': ', reasons[loss.reason] ?? ''),
      ),
    );
  return h(
    'div',
    { class: 'alert bad', role: 'alert' },
    h('h2', {}, 'Not everything is here'),
    h(
      'table',
      { class: 'plain' },
      h(
        'thead',
        {},
        h(
          'tr',
          {},
          h('th', { scope: 'col', class: 'number' }, 'Lost'),
          h('th', { scope: 'col' }, 'Of'),
          h('th', { scope: 'col' }, 'Why'),
        ),
      ),
      h('tbody', {}, ...rows),
    ),
  );
}

function warnings(head: ReportHead): HTMLElement | undefined {
  if (head.warnings.length === 0) return undefined;
  const items = head.warnings.map(({ node, reason, message }) =>
    h('li', {}, h('b', {}, reason), ` on ${node}: ${message}`),
  );
  return h(
    'div',
    { class: 'alert warn' },
    h('h2', {}, head.warnings.length === 1 ? 'Warning' : 'Warnings'),
    h('ul', {}, ...items),
  );
}
