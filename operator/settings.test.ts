// What the operator's environment may say.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { settingsFrom } from './settings.ts';

test('an empty environment is the chart’s defaults', () => {
  const settings = settingsFrom({});
  assert.equal(settings.namespace, 'sonde-system');
  assert.equal(settings.healthPort, 8080);
  assert.equal(settings.stopEverything, false);
  assert.deepEqual([...settings.excluded], []);
  assert.equal(settings.partsAbove, 64 << 20);
  assert.equal(settings.retentionMs, undefined);
});

test('lists are split, and what is wrong is named with what it may be', () => {
  assert.deepEqual(
    [...settingsFrom({ SONDE_EXCLUDED_NAMESPACES: 'kube-system, vault,' }).excluded],
    ['kube-system', 'vault'],
  );
  const { partsAbove, retentionMs } = settingsFrom({ SONDE_PARTS_ABOVE: '512Ki', SONDE_RETENTION: '1h30m' });
  assert.deepEqual([partsAbove, retentionMs], [512 * 1024, 5_400_000]);
  assert.throws(() => settingsFrom({ SONDE_PARTS_ABOVE: 'much' }), /SONDE_PARTS_ABOVE: .*not a quantity/);
  assert.throws(() => settingsFrom({ SONDE_RETENTION: '30d' }), /SONDE_RETENTION: .*days are not a unit/);
  assert.throws(() => settingsFrom({ SONDE_HEALTH_PORT: 'x' }), /SONDE_HEALTH_PORT is "x": write a port/);
  assert.throws(() => settingsFrom({ SONDE_STOP_EVERYTHING: 'yes' }), /write true or false/);
  assert.throws(() => settingsFrom({ SONDE_CERTIFICATES: 'mine' }), /write own or given/);
});
