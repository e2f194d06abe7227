import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { buildReport } from '../../build/report.ts';
import { metaOf, sampleRows, shapes } from '../samples.ts';
import { type ResultView, viewOfRows } from '../view.ts';
import { asset } from './assets.ts';
import { events, histograms, hostileName, smallStacks, table, troubled } from './fixtures.ts';
import { frameColour } from './frame-look.ts';
import { renderReport } from './report.ts';
import type { BodyLimits } from './report-body.ts';
import type { Block, ReportFoot, ReportHead, RowsBlock } from './report-data.ts';

before(() => buildReport());

async function write(
  view: ResultView,
  limits: Partial<BodyLimits> = {},
  headline = 'a headline',
): Promise<string> {
  let text = '';
  const keep = (chunk: string) => {
    text += chunk;
  };
  await renderReport(view, keep, { headline, limits });
  return text;
}

function embedded(text: string): { head: ReportHead; blocks: Block[]; foot: ReportFoot } {
  const parts = (name: string) =>
    [
      ...text.matchAll(
        new RegExp(`<script type="application/json" class="sonde-${name}">([^<]*)</script>`, 'g'),
      ),
    ].map((match): unknown => JSON.parse(match[1] ?? ''));
  return {
    head: parts('head')[0] as ReportHead,
    blocks: parts('block') as Block[],
    foot: parts('foot')[0] as ReportFoot,
  };
}

const views: [string, () => ResultView][] = [
  ['stacks', () => smallStacks(troubled)],
  ['table', () => table(20, troubled)],
  ['histogram', () => histograms(5, troubled)],
  ['events', () => events(20, troubled)],
  ...shapes.map((shape): [string, () => ResultView] => [
    `small ${shape.kind}`,
    () => viewOfRows(metaOf(shape, 'a-trace'), sampleRows(shape.kind)),
  ]),
];

for (const [name, view] of views) {
  test(`a report of ${name} holds valid data and refers to nothing outside itself`, async () => {
    const text = await write(view());
    const { head, blocks, foot } = embedded(text);
    assert.equal(head.version, 1);
    assert.ok(blocks.length > 0 && foot.rows > 0);
    const markup = text.replace(/<script[\s\S]*?<\/script>|<style>[\s\S]*?<\/style>/g, '');
    assert.doesNotMatch(markup, /\b(src|href|srcset|action)\s*=|https?:/);
    assert.doesNotMatch(text, /@import|url\(|<link|<iframe|<img/);
    assert.match(
      text,
      /default-src 'none'; script-src 'sha256-[^']+'; style-src 'sha256-[^']+'; base-uri 'none'/,
    );
  });
}

test('a report without data is smaller than 150 KB', async () => {
  const text = await write(viewOfRows(table(0).meta, []));
  assert.ok(text.length < 150_000, `${text.length} bytes`);
});

test('a hostile name can end no script and no title', async () => {
  const text = await write(table(5, troubled), {}, `first ${hostileName}`);
  assert.equal(text.match(/<script/g)?.length, text.match(/<\/script/g)?.length);
  assert.doesNotMatch(text, /<img/);
  assert.doesNotMatch(text, /\u2028|\u202e/);
  assert.match(text, /<title>first &lt;\/script&gt;/);
});

test('integers past 2^53 are exact', async () => {
  const { blocks } = embedded(await write(table(3)));
  const column = (blocks[0] as RowsBlock).columns[8];
  assert.deepEqual(column?.as === 'exact' && column.values[0], '9007199254740993');
});

test('the greatest rows are embedded, the others counted', async () => {
  const { blocks, foot } = embedded(await write(table(50), { rows: 10 }));
  assert.deepEqual([foot.rows, foot.embedded], [50, 10]);
  assert.equal((blocks[0] as RowsBlock).rows, 10);
});

test('the first events are embedded, all are counted over time', async () => {
  const { blocks, foot } = embedded(await write(events(9000), { events: 5000 }));
  assert.deepEqual([foot.rows, foot.embedded], [9000, 5000]);
  assert.equal(
    blocks.reduce((sum, block) => sum + (block as RowsBlock).rows, 0),
    5000,
  );
  assert.equal(
    foot.series?.counts.reduce((sum, count) => sum + count, 0),
    9000,
  );
});

test('events stream: no chunk grows with their number, and reading stops where it was told to', async () => {
  let longest = 0;
  let read = 0;
  const view = events(1_000_000);
  const counting: ResultView = {
    meta: view.meta,
    async *rows() {
      for await (const row of view.rows()) {
        read++;
        yield row;
      }
    },
    async *laterTimes(skip) {
      yield Array.from({ length: 1_000_000 - skip }, (_, index) => Number(view.meta.startTime) + index);
    },
  };
  const measure = (chunk: string) => {
    longest = Math.max(longest, chunk.length);
  };
  await renderReport(counting, measure, {
    headline: '',
    limits: { events: 10_000 },
  });
  assert.equal(read, 10_001);
  assert.ok(longest < 1_000_000, `${longest}`);
});

test('each write is awaited before the next', async () => {
  let busy = false;
  await renderReport(
    events(6000),
    async () => {
      assert.equal(busy, false);
      busy = true;
      await new Promise((resolve) => setImmediate(resolve));
      busy = false;
    },
    { headline: '' },
  );
});

/** Relative luminance of `#rrggbb`, by WCAG 2. */
function luminance(colour: string): number {
  const part = (at: number) => {
    const value = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  };
  return 0.2126 * part(1) + 0.7152 * part(3) + 0.0722 * part(5);
}

function contrast(a: string, b: string): number {
  const [x, y] = [luminance(a), luminance(b)];
  return (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05);
}

test('texts have a contrast of at least 4.5 on what they stand on, light and dark', () => {
  const style = asset('report.css');
  const themes = [...style.matchAll(/:root[^{]*\{([^}]*)\}/g)].map(
    (match) =>
      new Map([...(match[1] ?? '').matchAll(/(--[a-z-]+): ?(#[0-9a-f]{6})/g)].map((one) => [one[1], one[2]])),
  );
  assert.ok(themes.length >= 3);
  const pairs = [
    ...['--text', '--muted', '--good', '--bad', '--warn', '--match', '--accent'].map((text) => [
      text,
      '--panel',
    ]),
    ...[
      ['--text', '--page'],
      ['--muted', '--page'],
      ['--bad', '--bad-back'],
      ['--warn', '--warn-back'],
      ['--text', '--bad-back'],
    ],
    ...[
      ['--text', '--faint'],
      ['--muted', '--faint'],
      ['--text', '--warn-back'],
      ['--muted', '--warn-back'],
      ['--muted', '--bad-back'],
    ],
  ];
  for (const theme of themes)
    for (const [text = '', back = ''] of pairs) {
      const [a, b] = [theme.get(text), theme.get(back)];
      if (a === undefined || b === undefined) continue;
      assert.ok(contrast(a, b) >= 4.5, `${text} ${a} on ${back} ${b}: ${contrast(a, b).toFixed(2)}`);
    }
});

test('every colour of a frame carries dark text', () => {
  for (const kind of ['user', 'kernel', 'jit', 'inlined', 'plain'] as const)
    for (let i = 0; i < 200; i++) {
      const colour = frameColour(kind, `function_${i}`, `module${i % 17}`);
      assert.ok(contrast(colour, '#1c1917') >= 6, `${kind} ${colour}`);
    }
});
