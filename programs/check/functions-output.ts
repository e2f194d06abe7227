// Functions that ask something of user space: a part of the table in functions.ts, see there.

import type { Fn, Parameter } from './words.ts';

const format: Parameter = { name: 'format', accepts: 'format', literal: true };
const rest: Parameter = { name: 'arguments', accepts: 'any', rest: true };
const map: Parameter = { name: 'map', accepts: 'map' };

export const outputFunctions = [
  {
    name: 'assert',
    signatures: [
      {
        parameters: [
          { name: 'condition', accepts: 'any' },
          { name: 'message', accepts: 'string', literal: true },
        ],
        returns: 'void',
      },
    ],
    description: 'Ends the program with the message and exit code 1 where the condition is false.',
    invocation: 'async',
    tenancy: 'pods',
  },
  {
    name: 'cat',
    signatures: [{ parameters: [format, rest], returns: 'void' }],
    description: 'Prints a file, at most max_cat_bytes of it.',
    invocation: 'async',
    tenancy: 'node',
    nodeReason: "it reads the node's files",
  },
  {
    name: 'clear',
    signatures: [{ parameters: [map], returns: 'void' }],
    description: 'Deletes all keys of a map.',
    invocation: 'async',
    tenancy: 'pods',
  },
  {
    name: 'errorf',
    signatures: [{ parameters: [format, rest], returns: 'void' }],
    description: 'As printf, as an error with its place in the source.',
    invocation: 'async',
    tenancy: 'pods',
  },
  {
    name: 'exit',
    signatures: [{ parameters: [{ name: 'code', accepts: 'integer', optional: true }], returns: 'void' }],
    description: 'Ends the program: `end` runs, maps are printed. This probe returns at once.',
    invocation: 'async',
    tenancy: 'pods',
  },
  {
    name: 'fail',
    signatures: [{ parameters: [format, { ...rest, literal: true }], returns: 'void' }],
    description: 'Fails to compile, with the message, where it is not left out by a constant condition.',
    invocation: 'compileTime',
    tenancy: 'pods',
  },
  {
    name: 'print',
    signatures: [
      {
        parameters: [
          map,
          { name: 'top', accepts: 'integer', literal: true, optional: true },
          { name: 'divisor', accepts: 'integer', literal: true, optional: true },
        ],
        returns: 'void',
      },
      { parameters: [{ name: 'value', accepts: 'any' }], returns: 'void' },
    ],
    description: 'Prints a value, or a map as it is when user space comes to it.',
    invocation: 'async',
    tenancy: 'pods',
  },
  {
    name: 'printf',
    signatures: [{ parameters: [format, rest], returns: 'void' }],
    description: 'Prints by a format; the text is made in user space.',
    invocation: 'async',
    tenancy: 'pods',
  },
  {
    name: 'system',
    signatures: [{ parameters: [format, rest], returns: 'void' }],
    description: 'Runs a command.',
    invocation: 'async',
    tenancy: 'node',
    refused: 'a program that traces a node may not run commands on it',
  },
  {
    name: 'time',
    signatures: [
      {
        parameters: [{ name: 'format', accepts: 'string', literal: true, optional: true }],
        returns: 'void',
      },
    ],
    description: 'Prints the time of day when user space comes to it, by a format of strftime(3).',
    invocation: 'async',
    tenancy: 'pods',
  },
  {
    name: 'warnf',
    signatures: [{ parameters: [format, rest], returns: 'void' }],
    description: 'As printf, as a warning with its place in the source.',
    invocation: 'async',
    tenancy: 'pods',
  },
  {
    name: 'write_user',
    signatures: [{ parameters: [{ name: 'arguments', accepts: 'any', rest: true }], returns: 'void' }],
    description: "Writes to a process's memory.",
    invocation: 'sync',
    tenancy: 'node',
    refused: 'Sonde observes and changes nothing of what it traces',
  },
  {
    name: 'zero',
    signatures: [{ parameters: [map], returns: 'void' }],
    description: 'Sets all values of a map to zero.',
    invocation: 'async',
    tenancy: 'pods',
  },
] as const satisfies readonly Fn[];
