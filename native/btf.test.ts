// Decoding and encoding by BTF under any bytes: through the variables of an object that is opened but never loaded.

import assert from 'node:assert/strict';
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
