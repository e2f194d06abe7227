// The report's script: reads the data in the page and builds the page from it. Neighbours: ../report.ts wrote the file around it,
// page.ts is the frame, stacks.ts, table.ts, histogram.ts and events.ts are the views by shape.

import { type Data, readData } from './data.ts';
import { h } from './dom.ts';
import { eventsView } from './events.ts';
import { histogramView } from './histogram.ts';
import { page } from './page.ts';
import { stacksView } from './stacks.ts';
import { tableView } from './table.ts';

function resultView(data: Data): HTMLElement {
  const { shape } = data.head;
  if (data.foot.rows === 0) {
    return h(
      'section',
      { class: 'panel' },
      h('h2', {}, 'Nothing was recorded'),
      h('p', {}, 'The probes below were attached, and nothing in scope reached them while the job ran.'),
    );
  }
  switch (shape.kind) {
    case 'stacks':
      return data.stacks === undefined ? h('section') : stacksView(data, data.stacks);
    case 'table':
      return tableView(data, shape);
    case 'histogram':
      return histogramView(data, shape);
    case 'events':
    case 'packets':
      return eventsView(data);
  }
}

try {
  const data = readData();
  page(data.head, resultView(data));
} catch (error) {
  const why =
    error instanceof SyntaxError
      ? 'This file is cut off: it was not written or copied to its end.'
      : String(error);
  document
    .getElementById('sonde')
    ?.append(h('p', { class: 'alert bad' }, `The report can't be shown. ${why}`));
  throw error;
}
