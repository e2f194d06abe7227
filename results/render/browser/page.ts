// What stands around the result: headline, job, how it was recorded, what was lost, what it cost, what was attached. Neighbours: main.ts, cards.ts.

import { formatTime } from '../../units.ts';
import type { ReportHead } from '../report-data.ts';
import { cards } from './cards.ts';
import { type Child, h, s, select, themeChanged } from './dom.ts';

const endings: Record<string, string> = {
  Duration: 'ran its full duration',
  CommandExited: 'ended with the traced command',
  TargetGone: 'ended because everything in its scope was gone',
  Stopped: 'was stopped',
  Budget: 'was ended by its budget',
  Failed: 'failed; this is what was recorded until then',
};

function logo(): SVGElement {
  const mark = s('svg', {
    viewBox: '0 0 24 24',
    width: 22,
    height: 22,
    'aria-hidden': 'true',
    class: 'logo',
  });
  for (const [x, y, w] of [
    [2, 17, 20],
    [2, 11.5, 13],
    [16, 11.5, 6],
    [2, 6, 6],
    [9, 6, 4],
  ])
    mark.append(s('rect', { x, y, width: w, height: 4.2, rx: 1.2 }));
  return mark;
}

/** Light, dark, or as the system says; kept where the browser lets a file keep anything. */
function themeChoice(): HTMLElement {
  const names = ['system', 'light', 'dark'];
  const apply = (name: string) => {
    if (name === 'system') delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = name;
    themeChanged();
  };
  let stored = 'system';
  try {
    stored = localStorage.getItem('sonde-theme') ?? stored;
  } catch {
    // Storage is refused to files in some browsers: then each opening begins as the system says.
  }
  apply(stored);
  window.matchMedia('(prefers-color-scheme: dark)').addEventListener('change', themeChanged);
  return select(
    'theme',
    names,
    (index) => {
      const name = names[index] ?? 'system';
      apply(name);
      try {
        localStorage.setItem('sonde-theme', name);
      } catch {
        // As above.
      }
    },
    Math.max(0, names.indexOf(stored)),
  );
}

function header(head: ReportHead): HTMLElement {
  const start = BigInt(head.startTime);
  const seconds = Number(BigInt(head.completionTime) - start) / 1e9;
  const job = head.job.namespace === null ? head.job.name : `${head.job.namespace}/${head.job.name}`;
  const nodes = head.nodes.length === 1 ? head.nodes[0] : `${head.nodes.length} nodes`;
  const begun = formatTime(start);
  const item = (name: string, ...value: Child[]) =>
    h('div', { class: 'item' }, h('dt', {}, name), h('dd', {}, ...value));
  return h(
    'header',
    {},
    h('div', { class: 'brand' }, logo(), h('b', {}, 'Sonde'), h('span', { class: 'grow' }), themeChoice()),
    h('h1', {}, head.headline),
    h(
      'dl',
      { class: 'items' },
      item('Trace', h('code', {}, head.trace.name)),
      item('Job', h('code', {}, job)),
      item(
        'Started',
        h('time', { datetime: begun, title: begun }, `${begun.slice(0, 10)} ${begun.slice(11, 19)} UTC`),
      ),
      item('Duration', `${seconds.toFixed(seconds < 10 ? 2 : 1)} s, ${endings[head.ended] ?? head.ended}`),
      item(head.nodes.length === 1 ? 'Node' : 'Nodes', h('span', { title: head.nodes.join(', ') }, nodes)),
      item(
        'In scope',
        `${head.owners} ${head.owners === 1 ? 'container or command' : 'containers or commands'}`,
      ),
    ),
  );
}

/** How it was recorded: hooks and parameters, folded away. */
function recording(head: ReportHead): HTMLElement {
  const parameters = Object.entries(head.trace.parameters);
  const hooks = new Map<string, string[]>();
  for (const { node, program, hook } of head.attached) {
    const name = `${program}\0${hook}`;
    hooks.set(name, [...(hooks.get(name) ?? []), node]);
  }
  const lines = [...hooks].map(([name, nodes]) => {
    const [program, hook] = name.split('\0');
    const where =
      nodes.length === head.nodes.length
        ? nodes.length === 1
          ? nodes[0]
          : `all ${nodes.length} nodes`
        : nodes.join(', ');
    return h(
      'tr',
      {},
      h('td', {}, h('code', {}, hook)),
      h('td', {}, h('code', {}, program)),
      h('td', {}, where),
    );
  });
  const titles = h('tr', {}, ...['Hook', 'Program', 'Node'].map((name) => h('th', { scope: 'col' }, name)));
  return h(
    'details',
    { class: 'panel', open: true },
    h('summary', {}, h('h2', {}, 'How it was recorded')),
    lines.length > 0 && h('h3', {}, 'Attached'),
    lines.length > 0 && h('table', { class: 'plain' }, h('thead', {}, titles), h('tbody', {}, ...lines)),
    lines.length === 0 && h('p', { class: 'note' }, 'Nothing was attached.'),
    parameters.length > 0 && h('h3', {}, 'Parameters'),
    parameters.length > 0 &&
      h(
        'dl',
        { class: 'items' },
        ...parameters.map(([name, value]) =>
          h(
            'div',
            { class: 'item' },
            h('dt', {}, name),
            h(
              'dd',
              {},
              h('code', {}, typeof value === 'string' && value !== '' ? value : JSON.stringify(value)),
            ),
          ),
        ),
      ),
  );
}

/** Puts the page around the result's own section. */
export function page(head: ReportHead, result: HTMLElement): void {
  const main = h('main', {}, cards(head), result, recording(head));
  const footer = h(
    'footer',
    { class: 'muted' },
    'Made by Sonde. This file holds its data and asks the network for nothing; the same data lies beside it as ',
    h('code', {}, 'result.json'),
    ' and ',
    h('code', {}, head.complete),
    '.',
  );
  document.getElementById('sonde')?.replaceChildren(header(head), main, footer);
}
