import assert from 'node:assert/strict';
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { type BrowserContext, chromium, type Locator, type Page } from 'playwright-core';
import { buildReport } from '../../build/report.ts';
import type { StacksShape } from '../shape.ts';
import { buildTree } from '../tree.ts';
import { type ResultView, viewOfRows } from '../view.ts';
import { events, histograms, hostileName, smallStacks, table, troubled } from './fixtures.ts';
import { renderFlamegraph } from './flamegraph.ts';
import { renderReport } from './report.ts';

// One browser for all tests of the file. Without the switches it looks up hosts of its own at every start.
const switches =
  '--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync';
// Long, since other tests may have both cores; only what fails waits for it.
const patience = 20_000;
let folder: string;
let browser: BrowserContext;
const views: Record<string, ResultView> = {
  stacks: smallStacks(troubled),
  table: table(100_000, troubled),
  histogram: histograms(12, troubled),
  events: events(6_000, troubled),
  nothing: viewOfRows(table(0).meta, []),
};

before(async () => {
  await buildReport();
  folder = await mkdtemp(join(tmpdir(), 'sonde-report-'));
  for (const [name, view] of Object.entries(views)) {
    const file = createWriteStream(join(folder, `${name}.html`));
    const write = (chunk: string) => void file.write(chunk);
    await renderReport(view, write, { headline: `${name} of ${hostileName}`, limits: { events: 4_000 } });
    await new Promise((done) => file.end(done));
  }
  const stacks = views.stacks as ResultView;
  const tree = await buildTree(stacks.rows(), { shape: stacks.meta.shape as StacksShape });
  await writeFile(join(folder, 'flamegraph.svg'), renderFlamegraph(tree, stacks.meta));
  await writeFile(join(folder, 'readme.html'), '<!doctype html><img src="flamegraph.svg">');
  browser = await chromium.launchPersistentContext(join(folder, 'profile'), {
    executablePath: '/usr/bin/chromium',
    args: switches.split(' '),
    viewport: { width: 1400, height: 900 },
  });
});

after(async () => {
  await browser?.close();
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
});

/** Opens a file and runs the test; then no request may have left, no error been thrown, no hostile name have done anything. */
async function opened(file: string, run: (page: Page) => Promise<void>): Promise<void> {
  const page = await browser.newPage();
  const wrong: string[] = [];
  const url = pathToFileURL(join(folder, file)).href;
  page.on('pageerror', (error) => wrong.push(`error: ${error.message}`));
  page.on('console', (message) => wrong.push(`console: ${message.text()}`));
  page.on('request', (request) => {
    if (!request.url().startsWith(pathToFileURL(folder).href)) wrong.push(`request: ${request.url()}`);
  });
  page.setDefaultTimeout(patience);
  try {
    await page.goto(url);
    await run(page);
    assert.notEqual(await page.title(), 'pwned');
    assert.deepEqual(wrong, []);
  } finally {
    await page.close();
  }
}

/** Waits until the text matches; runs of white space count as one space. */
async function reads(of: Locator, expected: RegExp): Promise<void> {
  const until = Date.now() + patience;
  let text = '';
  do {
    text = (await of.allInnerTexts()).join(' ').replace(/\s+/g, ' ').trim();
    if (expected.test(text)) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  } while (Date.now() < until);
  assert.match(text, expected);
}

/** Cells of a grid's column over the rows in the document. */
async function cells(page: Page, column: number): Promise<string[]> {
  return page.locator(`.grid tbody tr:not(.spacer) td:nth-child(${column})`).allInnerTexts();
}

for (const name of Object.keys(views)) {
  test(`the report of ${name} shows head, cards, losses and hooks, and asks for nothing`, async () => {
    await opened(`${name}.html`, async (page) => {
      await reads(page.locator('h1'), new RegExp(`^${name} of </script><img src=x`));
      await reads(page.locator('h1'), /\\x1b\[31m\\u202egnp\.exe/);
      assert.equal(await page.locator('img').count(), 0);
      await reads(page.locator('.cards'), name === 'nothing' ? /nothing was lost/ : /Lost 19,500/);
      if (name !== 'nothing')
        await reads(page.locator('.alert.bad'), /19,000\s+shop\/checkout-7d9f4\/api on blue-1\s+RingFull/);
      await reads(page.locator('main'), /tp_btf\/cgroup_mkdir/);
    });
  });
}

/** The middle of a frame of smallStacks, by its level and share of the width, in a flame graph of `levels` rows of 20 px. */
async function pointAt(page: Page, level: number, share: number): Promise<[number, number]> {
  const box = await page.locator('.flame canvas').boundingBox();
  assert.ok(box);
  return [box.x + share * box.width, box.y + box.height - (level + 0.5) * 20];
}

test('flame graph: hover tells, click zooms, search says what it matched, reset undoes', async () => {
  await opened('stacks.html', async (page) => {
    await page.mouse.move(...(await pointAt(page, 4, 0.2)));
    await reads(
      page.locator('.tip'),
      /^json\.decode 600 samples \(60\.00%\) self 0 \(0%\) user code, \/app\/server, json\.go:41–77$/,
    );
    await page.getByLabel('Search functions').fill('^mem(cpy|set)$');
    await reads(page.locator('.matched'), /^Matched 10\.00% \(100\)$/);
    await page.mouse.click(...(await pointAt(page, 4, 0.2)));
    await reads(page.locator('.matched'), /^Matched 16\.67% \(100\)$/);
    await page.getByRole('button', { name: 'Reset zoom' }).click();
    await reads(page.locator('.matched'), /^Matched 10\.00%/);
    assert.equal(await page.getByRole('button', { name: 'Reset zoom' }).isDisabled(), true);
  });
});

test('flame graph: the keyboard walks, zooms and goes back', async () => {
  await opened('stacks.html', async (page) => {
    await page.locator('.flame canvas').focus();
    for (const key of ['ArrowUp', 'ArrowUp', 'ArrowUp', 'ArrowUp']) await page.keyboard.press(key);
    await reads(page.locator('.flame-status'), /^http\.serve/);
    await page.keyboard.press('ArrowRight');
    await reads(page.locator('.flame-status'), /^LazyCompile:\*render app\.js:10 · 150 samples/);
    await page.keyboard.press('Enter');
    assert.equal(await page.getByRole('button', { name: 'Reset zoom' }).isDisabled(), false);
    await page.keyboard.press('Escape');
    await reads(page.locator('.flame-status'), /^main/);
    await page.keyboard.press('Control+f');
    await page.keyboard.type('json');
    await reads(page.locator('.matched'), /^Matched 60\.00%/);
  });
});

test('flame graph: pod, weight, kernel and inlined frames, callers and one function can be chosen', async () => {
  await opened('stacks.html', async (page) => {
    const functions = page.locator('.grid tbody');
    await page.locator('.fields').getByLabel('pod').selectOption('checkout-x2k8p');
    await reads(functions, /log\.write\s+100 · 100%/);
    assert.doesNotMatch((await functions.allInnerTexts()).join(), /json/);
    await page.locator('.fields').getByLabel('pod').selectOption('all');
    await page.getByLabel('widths').selectOption('cpu');
    await reads(functions, /json\.scan\s+4\.54 s · 45\.00%/);
    await page.getByLabel('widths').selectOption('samples');
    await page.getByLabel('kernel').uncheck();
    await page.getByLabel('inlined').uncheck();
    await reads(functions, /json\.decode\s+500 · 50\.00%/);
    assert.doesNotMatch((await functions.allInnerTexts()).join(), /ksys_write|json\.scan/);
    await page.getByLabel('callers').check();
    await page.mouse.move(...(await pointAt(page, 1, 0.1)));
    await reads(page.locator('.tip'), /^json\.decode 500 samples/);
    await page.locator('.grid tr', { hasText: 'memcpy' }).click();
    await reads(page.locator('.chips'), /^Only stacks with memcpy/);
    await reads(functions, /main\s+0 · 0%\s+100 · 100%/);
    await page.locator('.chip').click();
    await reads(functions, /main\s+0 · 0%\s+1,000 · 100%/);
  });
});

test('table: 100,000 rows are sorted, filtered and totalled, few of them in the document', async () => {
  await opened('table.html', async (page) => {
    const status = page.locator('.grid-box [role=status]');
    await reads(status, /^100,000 rows/);
    assert.ok((await page.locator('.grid tbody tr').count()) < 80);
    assert.equal((await cells(page, 8))[0], '9,007,199 s');
    await page.getByRole('button', { name: 'pid', exact: true }).click();
    assert.equal((await cells(page, 5))[0], '100999');
    await page.getByRole('button', { name: /^pid/ }).click();
    assert.deepEqual((await cells(page, 5)).slice(0, 3), ['1000', '1001', '1002']);
    await page.getByLabel('Filter column pid').fill('1010..1019');
    await reads(status, /^10 of 100,000 rows/);
    await page.getByLabel('Filter column syscall').fill('close');
    await reads(status, /^3 of 100,000 rows/);
    await reads(page.locator('.grid tfoot'), /^Total\s+[\d,]+\s+[\d.]+ s\s+max [\d.]+ m?s/);
    await page.getByLabel('Filter column syscall').fill('');
    await page.getByLabel('Filter rows').fill('worker-15 futex');
    await reads(status, /^0 of 100,000 rows/);
    await page.getByLabel('Filter column pid').fill('x');
    await page.locator('[aria-invalid=true]').waitFor();
  });
});

test('table: a row opens with every digit, copying says so, the container can be chosen', async () => {
  await opened('table.html', async (page) => {
    await page.locator('.grid tbody tr:not(.spacer)').first().click();
    await reads(page.getByRole('dialog'), /time\s+9,007,199,254,740,993 ns/);
    await page.keyboard.press('Escape');
    await page.locator('.fields').getByLabel('container').selectOption('sidecar');
    await reads(page.locator('.grid-box [role=status]'), /^33,333 of 100,000 rows/);
    await page.getByLabel('Filter column pid').fill('<1020');
    await reads(page.locator('.grid-box [role=status]'), /^7 of/);
    await page.getByRole('button', { name: 'Copy as CSV' }).click();
    await reads(page.getByRole('button', { name: 'Copied' }), /Copied/);
  });
});

test('histogram: percentiles are bucket ranges, the mean exact; keys are compared and chosen', async () => {
  await opened('histogram.html', async (page) => {
    await page.getByLabel('Filter keys').fill('exactly-four');
    await reads(
      page.locator('.facts'),
      /count mean p50 p90 p99 max .*exactly-four 4 2\.25 µs 1\.02 µs – 2\.05 µs 4\.1 µs – 8\.19 µs/,
    );
    assert.equal(await page.locator('.bars .bar').count(), 3);
    await page.getByLabel('Filter keys').fill('');
    await page.locator('.grid tr', { hasText: 'worker-7' }).click();
    await page.locator('.grid tr', { hasText: 'worker-8' }).click();
    await reads(page.locator('.facts'), /worker-7[\s\S]*worker-8/);
    assert.equal(await page.locator('.chip').count(), 2);
    await page.getByRole('button', { name: 'Show all together' }).click();
    await reads(page.locator('.facts'), /all 12 keys/);
    assert.equal(await page.locator('.heat-row').count(), 12);
    await page.locator('.fields').getByLabel('container').selectOption('sidecar');
    await reads(page.locator('.facts'), /all 4 keys/);
  });
});

test('events: what is left out is said; time, container and text choose', async () => {
  await opened('events.html', async (page) => {
    const status = page.locator('.grid-box [role=status]');
    await reads(page.locator('.note'), /The first 4,000 are in this page, 2,000 more in events\.jsonl\./);
    await reads(status, /^4,000 events/);
    await page.getByLabel('Filter column error').fill('ENOENT');
    await reads(status, /^1,000 of 4,000/);
    await page.getByLabel('Filter column error').fill('');
    await page.locator('.fields').getByLabel('container').selectOption('sidecar');
    await reads(status, /^1,333 of 4,000/);
    await page.locator('.fields').getByLabel('container').selectOption('all');
    const box = await page.locator('.timeline').boundingBox();
    assert.ok(box);
    await page.mouse.move(box.x + box.width * 0.1, box.y + 40);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.2, box.y + 40, { steps: 3 });
    await page.mouse.up();
    await reads(status, /^\d{3} of 4,000/);
    const times = (await cells(page, 1)).map((text) => Number(text.replace(/[+ s]/g, '')));
    assert.ok(times.length > 5 && times.every((time) => time >= 5.9 && time <= 12.1), times.join(' '));
    await page.getByLabel('To, seconds').fill('6.5');
    await page.getByLabel('To, seconds').press('Enter');
    await reads(status, /^\d\d of 4,000/);
    await page.getByRole('button', { name: 'All', exact: true }).click();
    await reads(status, /^4,000 events/);
  });
});

test('the theme can be chosen, and the page prints', async () => {
  await opened('stacks.html', async (page) => {
    const background = () => page.evaluate<string>('getComputedStyle(document.body).backgroundColor');
    await page.getByLabel('theme').selectOption('dark');
    assert.equal(await background(), 'rgb(15, 18, 23)');
    await page.getByLabel('theme').selectOption('light');
    assert.equal(await background(), 'rgb(244, 245, 247)');
    await page.getByLabel('theme').selectOption('system');
    const pdf = await page.pdf({ format: 'A4' });
    assert.equal(pdf.subarray(0, 5).toString(), '%PDF-');
  });
});

test('flamegraph.svg is valid XML; hover, zoom, search and reset work in it', async () => {
  await opened('flamegraph.svg', async (page) => {
    assert.equal(await page.locator('parsererror').count(), 0);
    const frame = (name: string) =>
      page.locator('.f', { has: page.locator('title', { hasText: new RegExp(`^${name}\\n`) }) }).first();
    await frame('json.decode').locator('rect').hover();
    assert.equal(
      await page.locator('#details').textContent(),
      'json.decode · 600 samples (60.00%) · user, /app/server',
    );
    page.on('dialog', (dialog) => void dialog.accept('^json'));
    await page.keyboard.press('Control+f');
    assert.equal(await page.locator('#matched').textContent(), 'Matched: 60.00% (600)');
    await frame('http.serve').locator('rect').click();
    assert.equal(await page.locator('#matched').textContent(), 'Matched: 71.43% (600)');
    assert.equal(await frame('http.serve').locator('rect').getAttribute('width'), '1179.3');
    await page.locator('#reset').click();
    assert.equal(await page.locator('#matched').textContent(), 'Matched: 60.00% (600)');
    await page.locator('#search').click();
    assert.equal(await page.locator('#matched').textContent(), '');
  });
});

test('flamegraph.svg stands in a page as a picture', async () => {
  await opened('readme.html', async (page) => {
    const width = await page.evaluate<number>(
      'document.images[0].decode().then(() => document.images[0].naturalWidth)',
    );
    assert.equal(width, 1200);
  });
});
