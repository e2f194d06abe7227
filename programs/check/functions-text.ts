// Functions that read bytes and text: a part of the table in functions.ts, see there.

import type { Fn, Parameter } from './words.ts';

const text = (name: string): Parameter => ({ name, accepts: 'text' });
const length = (name: string): Parameter => ({ name, accepts: 'integer', optional: true });
const kernelMemory = 'In a namespaced job never of kernel memory.';

export const stringFunctions = [
  {
    name: 'assert_str',
    signatures: [{ parameters: [{ name: 'expression', accepts: 'any' }], returns: 'void' }],
    description: 'Fails to compile where an expression is no text.',
    invocation: 'compileTime',
    tenancy: 'pods',
  },
  {
    name: 'buf',
    signatures: [{ parameters: [{ name: 'data', accepts: 'bytes' }, length('length')], returns: 'buffer' }],
    description: 'Reads bytes, at most max_strlen; of an array all, where no length is given.',
    invocation: 'sync',
    tenancy: 'pods',
    difference: kernelMemory,
  },
  {
    name: 'globmatch',
    signatures: [
      { parameters: [text('text'), { name: 'pattern', accepts: 'string', literal: true }], returns: 'bool' },
    ],
    description: 'Whether a whole text matches a pattern of `*`, `?` and `[…]`.',
    invocation: 'sync',
    tenancy: 'pods',
    difference: 'The pattern is a literal of at most 63 characters.',
  },
  {
    name: 'join',
    signatures: [
      {
        parameters: [
          { name: 'texts', accepts: 'pointer', type: 'char *[]' },
          { name: 'separator', accepts: 'string', literal: true, optional: true },
        ],
        returns: 'void',
      },
    ],
    description: 'Prints an array of strings, up to 16 of them, with the separator (a space) between.',
    invocation: 'async',
    tenancy: 'pods',
    difference: kernelMemory,
  },
  {
    name: 'memcmp',
    signatures: [
      {
        parameters: [
          { name: 'left', accepts: 'bytes' },
          { name: 'right', accepts: 'bytes' },
          { name: 'count', accepts: 'integer', literal: true },
        ],
        returns: 'int32',
      },
    ],
    description: 'Compares bytes: 0 where they are equal, negative or positive by the first that differs.',
    invocation: 'sync',
    tenancy: 'pods',
    difference: 'The count is a literal.',
  },
  {
    name: 'path',
    signatures: [
      {
        parameters: [
          { name: 'path', accepts: 'any', type: 'struct path *' },
          { name: 'size', accepts: 'integer', literal: true, optional: true },
        ],
        returns: 'string',
      },
    ],
    description: 'The path that a structure of the kernel stands for.',
    invocation: 'sync',
    providers: ['fentry', 'fexit', 'iter'],
    tenancy: 'node',
    nodeReason: 'it takes a kernel pointer',
  },
  {
    name: 'str',
    signatures: [{ parameters: [{ name: 'data', accepts: 'bytes' }, length('length')], returns: 'string' }],
    description: 'Reads text up to its NUL, at most max_strlen or the length, the NUL included.',
    invocation: 'sync',
    tenancy: 'pods',
    difference: kernelMemory,
  },
  {
    name: 'strcap',
    signatures: [{ parameters: [text('text')], returns: 'int64' }],
    description: 'The room that a text has.',
    invocation: 'sync',
    tenancy: 'pods',
  },
  {
    name: 'strcontains',
    signatures: [{ parameters: [text('haystack'), text('needle')], returns: 'bool' }],
    description: 'Whether a text holds another.',
    invocation: 'sync',
    tenancy: 'pods',
    difference: 'The text searched for has at most 63 bytes.',
  },
  {
    name: 'strerror',
    signatures: [{ parameters: [{ name: 'error', accepts: 'integer' }], returns: 'string' }],
    description: 'The words for an error number.',
    invocation: 'async',
    tenancy: 'pods',
    difference: 'Of a number that is not constant only to be shown, not to be compared.',
  },
  {
    name: 'strftime',
    signatures: [
      {
        parameters: [
          { name: 'format', accepts: 'string', literal: true },
          { name: 'time', accepts: 'integer' },
        ],
        returns: 'timestamp',
      },
    ],
    description:
      'A time in nanoseconds since boot, shown by a format of strftime(3); `%f` is the microsecond.',
    invocation: 'async',
    tenancy: 'pods',
  },
  {
    name: 'strlen',
    signatures: [{ parameters: [text('text')], returns: 'uint64' }],
    description: 'The length of a text.',
    invocation: 'sync',
    tenancy: 'pods',
  },
  {
    name: 'strncmp',
    signatures: [
      {
        parameters: [text('left'), text('right'), { name: 'count', accepts: 'integer', literal: true }],
        returns: 'int64',
      },
    ],
    description: 'Compares the first characters of two texts: 0 where they are equal.',
    invocation: 'sync',
    tenancy: 'pods',
  },
  {
    name: 'strstr',
    signatures: [{ parameters: [text('haystack'), text('needle')], returns: 'int64' }],
    description: 'Where a text first stands in another, else -1.',
    invocation: 'sync',
    tenancy: 'pods',
    difference: 'The text searched for has at most 63 bytes.',
  },
  {
    name: 'syscall_name',
    signatures: [{ parameters: [{ name: 'number', accepts: 'integer' }], returns: 'string' }],
    description: 'The name of a syscall by its number.',
    invocation: 'async',
    tenancy: 'pods',
    difference: 'Of a number that is not constant only to be shown, not to be compared.',
  },
] as const satisfies readonly Fn[];
