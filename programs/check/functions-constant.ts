// Functions that are answered while compiling: a part of the table in functions.ts, see there.

import type { Fn, Parameter } from './words.ts';

const anything: Parameter = { name: 'expression', accepts: 'any' };
const symbol: Parameter = { name: 'name', accepts: 'string', literal: true };

export const constantFunctions = [
  {
    name: 'cgroupid',
    signatures: [{ parameters: [{ name: 'path', accepts: 'string', literal: true }], returns: 'uint64' }],
    description: 'The id of the cgroup (version 2) at a path.',
    invocation: 'compileTime',
    tenancy: 'node',
    nodeReason: "it would tell of other pods' cgroups",
  },
  {
    name: 'getopt',
    signatures: [
      {
        parameters: [
          { name: 'name', accepts: 'string', literal: true },
          { name: 'default', accepts: 'any', literal: true, optional: true },
          { name: 'description', accepts: 'string', literal: true, optional: true },
        ],
        returns: "the default's type, else bool",
      },
    ],
    description: 'A named parameter of the command line (`-- --name=value`), else the default.',
    invocation: 'compileTime',
    tenancy: 'pods',
  },
  ...['is_array', 'is_integer', 'is_literal', 'is_ptr', 'is_str', 'is_unsigned_integer'].map(
    (name): Fn => ({
      name,
      signatures: [{ parameters: [anything], returns: 'bool' }],
      description: `Whether an expression is ${
        {
          is_array: 'an array',
          is_integer: 'an integer',
          is_literal: 'a literal',
          is_ptr: 'a pointer',
          is_str: 'a string',
        }[name] ?? 'an unsigned integer'
      }.`,
      invocation: 'compileTime',
      tenancy: 'pods',
    }),
  ),
  {
    name: 'kaddr',
    signatures: [{ parameters: [symbol], returns: 'uint64 *' }],
    description: 'The address of a kernel symbol.',
    invocation: 'compileTime',
    tenancy: 'node',
    nodeReason: "kernel addresses lead to everybody's data",
  },
  {
    name: 'kfunc_allowed',
    signatures: [{ parameters: [symbol], returns: 'bool' }],
    description: 'Whether this probe may call a function that the kernel offers to programs.',
    invocation: 'compileTime',
    tenancy: 'pods',
    difference: 'Always false: programs of Sonde call none.',
  },
  {
    name: 'kfunc_exist',
    signatures: [{ parameters: [symbol], returns: 'bool' }],
    description: 'Whether the kernel has a function of that name, by BTF.',
    invocation: 'compileTime',
    tenancy: 'pods',
  },
  {
    name: 'pton',
    signatures: [
      { parameters: [{ name: 'address', accepts: 'string', literal: true }], returns: 'char[4] or char[16]' },
    ],
    description: 'The bytes of an address written as text.',
    invocation: 'compileTime',
    tenancy: 'pods',
  },
  {
    name: 'static_assert',
    signatures: [
      {
        parameters: [
          { name: 'condition', accepts: 'any', literal: true },
          { name: 'message', accepts: 'string', literal: true },
        ],
        returns: 'void',
      },
    ],
    description: 'Fails to compile, with the message, where the condition is false.',
    invocation: 'compileTime',
    tenancy: 'pods',
  },
  {
    name: 'typeinfo',
    signatures: [{ parameters: [anything], returns: '(btf_id, base_ty, full_ty)' }],
    description: 'The type of an expression, as text: `typeinfo(x).full_ty`, `.base_ty`, `.btf_id`.',
    invocation: 'compileTime',
    tenancy: 'pods',
    difference: 'btf_id is 0, and the record as a whole is no value.',
  },
] as const satisfies readonly Fn[];
