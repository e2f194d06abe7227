// Decoding and encoding by BTF under any bytes: through the variables of an object that is opened but never loaded.

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { NativeError } from './errors.ts';
import { native } from './index.ts';
import { testObject } from './test-object.ts';

const object = native.openObject(await testObject('values'));
after(() => object.close());
const size = 104;
const bytesOf = (name: string) => object.getVariable(name);

test('any bytes decode, and what was decoded encodes to a value that decodes the same', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: size, maxLength: size }), (bytes) => {
      object.setVariable('variable', bytes);
      const value = bytesOf('variable') as Record<string, unknown>;
      assert.equal(value.big, Buffer.from(bytes).readBigUInt64LE(0));
      assert.equal(value.negative, Buffer.from(bytes).readBigInt64LE(8));
      const name = Buffer.from(bytes.subarray(23, 39)).toString().split('\0')[0] ?? '';
      assert.equal(value.name, name);
      // Bad bytes became U+FFFD, which is three bytes and may not fit any more.
      const fits = Buffer.byteLength(name) <= 16;
      const written = fits ? value : { ...value, name: '' };
      object.setVariable('variable', written as Parameters<typeof object.setVariable>[1]);
      assert.deepEqual(bytesOf('variable'), written);
    }),
  );
});

test('any value is taken or refused with a NativeError', () => {
  fc.assert(
    fc.property(fc.anything({ withBigInt: true, withTypedArray: true }), (value) => {
      for (const name of ['variable', 'counted', 'target']) {
        try {
          object.setVariable(name, value as number);
        } catch (error) {
          assert.ok(error instanceof NativeError, String(error));
          assert.equal(error.code, 'InvalidArgument');
        }
      }
    }),
  );
});

test('a member that is set alone leaves the others zero', () => {
  object.setVariable('variable', new Uint8Array(size).fill(255));
  object.setVariable('variable', { within: 7 });
  const value = bytesOf('variable') as Record<string, unknown>;
  assert.equal(value.within, 7);
  assert.equal(value.big, 0n);
  assert.equal(value.name, '');
});

test('an object whose types lie about sizes and places is read within its bytes, or refused', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sonde-btf-'));
  try {
    const good = readFileSync(await testObject('values'));
    const { offset, length } = section(good, '.BTF');
    const path = join(folder, 'hostile.bpf.o');
    let read = 0;
    for (let at = offset; at + 4 <= offset + length; at += 4)
      for (const word of [0xffffffff, 0xfffffff8]) {
        const bad = Buffer.from(good);
        bad.writeUInt32LE(word, at);
        writeFileSync(path, bad);
        try {
          const hostile = native.openObject(path);
          for (const name of ['variable', 'counted', 'target']) {
            try {
              hostile.getVariable(name);
              read++;
            } catch (error) {
              assert.ok(error instanceof NativeError, String(error));
            }
          }
          hostile.close();
        } catch (error) {
          assert.ok(error instanceof NativeError, String(error));
        }
      }
    assert.ok(read > 0);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

/** Where a section of a 64-bit ELF file lies in it. */
function section(file: Buffer, wanted: string): { offset: number; length: number } {
  const header = (index: number) => {
    const at = Number(file.readBigUInt64LE(0x28)) + index * file.readUInt16LE(0x3a);
    return {
      name: file.readUInt32LE(at),
      offset: Number(file.readBigUInt64LE(at + 0x18)),
      length: Number(file.readBigUInt64LE(at + 0x20)),
    };
  };
  const names = header(file.readUInt16LE(0x3e));
  for (let index = 0; index < file.readUInt16LE(0x3c); index++) {
    const found = header(index);
    const from = names.offset + found.name;
    if (file.toString('latin1', from, file.indexOf(0, from)) === wanted) return found;
  }
  throw new Error(`no section ${wanted}`);
}
