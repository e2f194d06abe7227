// Addresses of symbols that are known only while a program runs: of per-CPU variables, and of variables in a binary that is mapped anywhere.

import type { Register } from '../ir.ts';
import type { Body } from './body.ts';
import type { Call } from './calls.ts';
import { registerValue } from './context.ts';
import { scalar } from './expression.ts';
import { helper } from './kernel-helpers.ts';
import { baseOf } from './memory.ts';
import { CannotLower } from './shared.ts';
import { textConstant } from './text.ts';

/** A per-CPU symbol's address on a CPU: the kernel's own table of offsets says where. */
export function perCpuAddress(body: Body, call: Call): Register {
  const { f, shared } = body;
  const [name, cpu] = call.arguments;
  const text = (name && textConstant(body, name)) ?? '';
  const symbol = shared.kernel.symbolAddress(text);
  const offsets = shared.kernel.symbolAddress('__per_cpu_offset');
  if (symbol === undefined || offsets === undefined)
    throw new CannotLower(`this kernel tells no address of ${text}`, call.span);
  const number = cpu === undefined ? f.helper(helper.processor) : scalar(body, cpu);
  const result = f.constant(0n);
  f.when('lt', number, { value: BigInt(shared.kernel.cpus) }, () => {
    const entry = f.binary('add', f.constant(offsets), f.binary('shl', number, { value: 3n }));
    const place = body.temporary(8, call.span);
    const { base, offset } = baseOf(body, place);
    f.helper(helper.readKernel, f.add(base, offset), f.constant(8n), entry);
    f.move(result, f.binary('add', f.load(base, offset, 8), f.constant(symbol)));
  });
  return result;
}

/** A uprobe knows where its own function is mapped; what else is in the binary is as far from it as in the file. */
export function userAddress(body: Body, call: Call): Register {
  const { f, shared, probe } = body;
  const name = (call.arguments[0] && textConstant(body, call.arguments[0])) ?? '';
  const [place] = probe.attach;
  const { attach } = place ?? {};
  const [own] = attach?.kind === 'uprobe' ? attach.functions : [];
  if (attach?.kind !== 'uprobe' || attach.return || own === undefined || attach.functions.length > 1)
    throw new CannotLower('uaddr() is not supported here: it needs a uprobe of one function', call.span);
  const symbol = shared.kernel.userSymbolAddress(attach.path, name);
  const function_ = shared.kernel.userSymbolAddress(attach.path, own);
  if (symbol === undefined || function_ === undefined)
    throw new CannotLower(
      `uaddr() is not supported here: ${attach.path} tells no address of ${name}`,
      call.span,
    );
  const distance = symbol.address - function_.address - BigInt(attach.offset);
  return f.binary('add', registerValue(body, 'ip', call.span), f.constant(distance));
}
