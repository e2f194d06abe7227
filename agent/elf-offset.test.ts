// Addresses in ELF files. Neighbour: elf-offset.ts.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileOffsetOf } from './elf-offset.ts';

/** A file with one loaded segment: 0x100 bytes at offset 0x40 of the file, at 0x401000 in memory. */
function file(change: (bytes: Buffer) => void = () => undefined): Buffer {
  const bytes = Buffer.alloc(64 + 56);
  bytes.write('\x7fELF', 'latin1');
  bytes[4] = 2;
  bytes.writeBigUInt64LE(64n, 32);
  bytes.writeUInt16LE(1, 56);
  bytes.writeUInt32LE(1, 64);
  bytes.writeBigUInt64LE(0x40n, 64 + 8);
  bytes.writeBigUInt64LE(0x401000n, 64 + 16);
  bytes.writeBigUInt64LE(0x100n, 64 + 32);
  change(bytes);
  return bytes;
}

test('an address lies where its segment does; outside of all it lies nowhere, nor in what is no ELF file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sonde-elf-'));
  const offset = (bytes: Buffer, address: bigint) => {
    writeFileSync(join(folder, 'file'), bytes);
    return fileOffsetOf(join(folder, 'file'), address);
  };
  try {
    assert.equal(offset(file(), 0x401010n), 0x50n);
    assert.equal(offset(file(), 0x401100n), undefined);
    assert.equal(offset(file(), 0x400fffn), undefined);
    assert.equal(offset(Buffer.from('#!/bin/sh\n'), 0x401010n), undefined);
    assert.equal(
      offset(
        file((bytes) => bytes.writeBigUInt64LE(2n ** 63n, 32)),
        0x401010n,
      ),
      undefined,
    );
    assert.equal(
      offset(
        file((bytes) => bytes.writeUInt16LE(65_535, 56)),
        0x401010n,
      ),
      undefined,
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});
