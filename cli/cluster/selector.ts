// A label selector as kubectl takes it (app=checkout,tier in (web, api),!canary) as one of the API's. Pure. Neighbour: cli/cluster/manifest.ts.

import { escapeTerminal } from '../../results/escape.ts';
import { CliError } from '../errors.ts';

interface Expression {
  key: string;
  operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist';
  values?: string[];
}

export interface LabelSelector {
  matchLabels?: Record<string, string>;
  matchExpressions?: Expression[];
}

const key =
  '(?:[A-Za-z0-9]([-A-Za-z0-9.]{0,251}[A-Za-z0-9])?/)?[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?';
const label = /^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/;
const forms: [RegExp, (parts: Record<string, string>) => Expression][] = [
  [new RegExp(`^(?<key>${key})$`), ({ key = '' }) => ({ key, operator: 'Exists' })],
  [new RegExp(`^!\\s*(?<key>${key})$`), ({ key = '' }) => ({ key, operator: 'DoesNotExist' })],
  [
    new RegExp(`^(?<key>${key})\\s*!=\\s*(?<value>\\S*)$`),
    ({ key = '', value = '' }) => ({ key, operator: 'NotIn', values: [value] }),
  ],
  [
    new RegExp(`^(?<key>${key})\\s*==?\\s*(?<value>\\S*)$`),
    ({ key = '', value = '' }) => ({ key, operator: 'In', values: [value] }),
  ],
  [
    new RegExp(`^(?<key>${key})\\s+(?<word>in|notin)\\s*\\((?<list>[^()]*)\\)$`),
    ({ key = '', word, list = '' }) => ({
      key,
      operator: word === 'in' ? 'In' : 'NotIn',
      values: list.split(',').map((value) => value.trim()),
    }),
  ],
];

/** Throws CliError BadArguments with the term that is wrong. */
export function parseSelector(text: string, flag: string): LabelSelector {
  const labels: Record<string, string> = {};
  const expressions: Expression[] = [];
  // Commas within brackets part values, the others terms.
  for (const term of text.split(/,(?![^(]*\))/).map((each) => each.trim())) {
    const expression = readTerm(term, flag);
    const [value, ...others] = expression.values ?? [];
    const plain = expression.operator === 'In' && value !== undefined && others.length === 0;
    if (plain && !Object.hasOwn(labels, expression.key)) labels[expression.key] = value;
    else expressions.push(expression);
  }
  return {
    ...(Object.keys(labels).length === 0 ? {} : { matchLabels: labels }),
    ...(expressions.length === 0 ? {} : { matchExpressions: expressions }),
  };
}

function readTerm(term: string, flag: string): Expression {
  for (const [form, read] of forms) {
    const match = form.exec(term);
    if (match === null) continue;
    const expression = read({ ...match.groups });
    if (expression.values?.every((value) => label.test(value)) ?? true) return expression;
  }
  throw new CliError(
    'BadArguments',
    `${flag}: "${escapeTerminal(term, 200)}" is no term of a label selector`,
    {
      advice: 'Write it as for `kubectl get -l`: app=checkout,tier in (web, api),!canary',
    },
  );
}
