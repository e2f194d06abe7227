// Files that claim to hold functions: neither a FIFO nor a file full of tables and names without end holds the caller up. Neighbours: native/src/elf_functions.cc, object.kernel.test.ts.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { native } from './index.ts';
import { testObject } from './test-object.ts';

const folder = mkdtempSync(join(tmpdir(), 'sonde-elf-'));
const object = native.openObject(await testObject('values'));
object.setAutoload('on_function', true);
object.load();
after(() => {
  object.close();
  rmSync(folder, { recursive: true });
});

const attach = (binary: string) =>
  object.attach('on_function', { kind: 'uprobe', binary, functions: ['wanted'], return: false });

test('a FIFO in the place of a binary is refused at once', () => {
  const path = join(folder, 'fifo');
  execFileSync('mkfifo', [path]);
  assert.throws(() => attach(path), { code: 'InvalidObject' });
});

test('thousands of symbol tables over one text without end are refused within a second', () => {
  const [sections, size] = [60_000, 8 << 20];
  const file = Buffer.alloc(64 + sections * 64 + size, 0x12);
  file.fill(0, 0, 64);
  file.write('\x7fELF', 0, 'latin1');
  file.set([2, 1, 1], 4); // 64 bits, little endian
  file.writeBigUInt64LE(64n, 0x28); // section headers follow
  file.writeUInt16LE(56, 0x36);
  file.writeUInt16LE(64, 0x3a);
  file.writeUInt16LE(sections, 0x3c);
  for (let index = 0; index < sections; index++) {
    const at = 64 + index * 64;
    file.fill(0, at, at + 64);
    file.writeUInt32LE(2, at + 4); // a symbol table, all of the rest, its own names
    file.writeBigUInt64LE(BigInt(64 + sections * 64), at + 0x18);
    file.writeBigUInt64LE(BigInt(size), at + 0x20);
  }
  // Every symbol: a function, whose name begins at the same place and never ends.
  const start = 64 + sections * 64;
  for (let at = start; at + 24 <= file.length; at += 24) file.writeUInt32LE(1, at);
  const path = join(folder, 'tables');
  writeFileSync(path, file);
  const before = performance.now();
  assert.throws(() => attach(path), { code: 'NotFound' });
  const took = performance.now() - before;
  // Emulated, in a guest, all takes twenty times longer.
  assert.ok(took < (process.env.SONDE_GUEST === undefined ? 1000 : 10_000), `${took} ms`);
});
