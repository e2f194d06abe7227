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
});

test('lists are split, and what is wrong is named with what it may be', () => {
  assert.deepEqual(
    [...settingsFrom({ SONDE_EXCLUDED_NAMESPACES: 'kube-system, vault,' }).excluded],
    ['kube-system', 'vault'],
  );
  assert.throws(() => settingsFrom({ SONDE_HEALTH_PORT: 'x' }), /SONDE_HEALTH_PORT is "x": write a port/);
  assert.throws(() => settingsFrom({ SONDE_STOP_EVERYTHING: 'yes' }), /write true or false/);
  assert.throws(() => settingsFrom({ SONDE_CERTIFICATES: 'mine' }), /write own or given/);
});
