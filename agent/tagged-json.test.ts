import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { planTrace } from '../bpf/plan.ts';
import { gadgetNames, loadGadget } from '../bpf/registry.ts';
import { CheckError } from './check.ts';
import { asPlan } from './check-plan.ts';
import { decodeTagged, encodeTagged } from './tagged-json.ts';
import { order } from './testdata/messages.ts';
import { orderFrom, orderMessage } from './wire-order.ts';

const leaf = fc.oneof(
  fc.string(),
  fc.bigInt({ min: -(2n ** 64n), max: 2n ** 64n }),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => (Object.is(value, -0) ? 0 : value)),
  fc.boolean(),
  fc.constant(null),
);
const name = fc.oneof(fc.string(), fc.constantFrom('$int', '$$int', '$', '__proto__', 'constructor'));
const { tree } = fc.letrec((tie) => ({
  tree: fc.oneof(
    { maxDepth: 6 },
    leaf,
    fc.array(tie('tree'), { maxLength: 5 }),
    fc.dictionary(name, tie('tree'), { maxKeys: 5, noNullPrototype: true }),
  ),
}));

test('what is encoded is decoded to the same, integers of any size and names like tags among it', () => {
  fc.assert(fc.property(tree, (value) => assert.deepEqual(decodeTagged(encodeTagged(value)), value)));
});

test("every gadget's plan arrives as it was made, and passes the check", async () => {
  for (const gadget of gadgetNames()) {
    const plan = planTrace(await loadGadget(gadget), {});
    assert.deepEqual(asPlan(decodeTagged(encodeTagged(plan)), 'plan'), plan);
    assert.deepEqual(orderFrom(orderMessage({ ...order, plan })), { ...order, plan });
  }
});

test('hostile bytes are refused in words, and nothing else happens', () => {
  const depth = `${'['.repeat(1000)}${']'.repeat(1000)}`;
  const wrong = [
    '',
    '{',
    '{"$int":"1e9"}',
    '{"$other":1}',
    `{"$int":"${'9'.repeat(50)}"}`,
    depth,
    '"\\ud800',
  ];
  for (const text of wrong) assert.throws(() => decodeTagged(Buffer.from(text)), SyntaxError, text);
  assert.throws(() => decodeTagged(Uint8Array.of(0x22, 0xff, 0x22)), SyntaxError);
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      try {
        orderFrom({ ...orderMessage(order), plan: bytes });
      } catch (error) {
        assert.ok(error instanceof CheckError, String(error));
      }
    }),
  );
});

test('whatever member of a plan has another type, the plan is refused or has the type it should', () => {
  fc.assert(
    fc.property(fc.constantFrom(...Object.keys(order.plan)), tree, (member, value) => {
      try {
        const plan = asPlan(decodeTagged(encodeTagged({ ...order.plan, [member]: value })), 'plan');
        assert.deepEqual(Object.keys(plan).sort(), Object.keys(order.plan).sort());
      } catch (error) {
        assert.ok(error instanceof CheckError, String(error));
      }
    }),
  );
});
