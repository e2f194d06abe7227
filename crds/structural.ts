// A zod schema as the structural OpenAPI schema that Kubernetes demands of a CRD: no $ref, no unions, no additionalProperties: false,
// a type and a description on every field. Caller: crds/manifest.ts. What can't be said in it is refused here, at build time, with its path.

import { z } from 'zod';

export type Json = string | number | boolean | null | Json[] | { [member: string]: Json };
type Schema = { [member: string]: Json };

/** Throws where a schema can't be structural, or a field has no description, naming the path. */
export function structuralSchema(schema: z.ZodType, root: string): Schema {
  const json = z.toJSONSchema(schema, { io: 'input', target: 'openapi-3.0' });
  return structural(JSON.parse(JSON.stringify(json)) as Schema, root, true);
}

/** Passed on as they are. */
const plain = [
  ...['type', 'description', 'default', 'enum', 'format', 'pattern', 'nullable'],
  ...['minLength', 'maxLength', 'minItems', 'maxItems', 'minProperties', 'maxProperties'],
  ...['x-kubernetes-validations', 'x-kubernetes-list-type', 'x-kubernetes-list-map-keys'],
];
/** Understood below, or said by the API server's own rules (unknown fields are pruned or refused by it). */
const handled = ['properties', 'required', 'items', 'additionalProperties', 'minimum', 'maximum'];
const more = [
  'exclusiveMinimum',
  'exclusiveMaximum',
  'anyOf',
  'x-kubernetes-int-or-string',
  '$schema',
  '~standard',
];
const known = new Set([...plain, ...handled, ...more]);

function structural(from: Schema, path: string, described: boolean): Schema {
  const strange = Object.keys(from).find((member) => !known.has(member));
  if (strange !== undefined)
    throw new TypeError(`${path}: a CRD's schema can't say ${strange}; use a simpler zod type`);
  if (described && typeof from.description !== 'string') {
    throw new TypeError(`${path} has no description; add .describe("…"): kubectl explain shows it`);
  }
  const to: Schema = {};
  for (const member of plain) if (from[member] !== undefined) to[member] = from[member];
  if (from['x-kubernetes-int-or-string'] === true) return { ...to, 'x-kubernetes-int-or-string': true };
  if (from.anyOf !== undefined)
    throw new TypeError(`${path}: a CRD's schema can't hold a union; use z.enum or two fields`);
  if (typeof from.type !== 'string')
    throw new TypeError(`${path} has no single type; use a simpler zod type`);
  limits(from, to);
  members(from, to, path);
  if (isSchema(from.items)) to.items = structural(from.items, `${path}[]`, false);
  if (isSchema(from.additionalProperties) && from.properties === undefined) {
    to.additionalProperties = structural(from.additionalProperties, `${path}.*`, false);
  }
  if (to.type === 'integer') to.format = 'int64';
  return to;
}

function limits(from: Schema, to: Schema): void {
  // z.int() means "exact in JavaScript", which is no limit that a reader of the CRD should see.
  const { minimum, maximum } = from;
  if (typeof minimum === 'number' && minimum !== Number.MIN_SAFE_INTEGER) to.minimum = minimum;
  if (typeof maximum === 'number' && maximum !== Number.MAX_SAFE_INTEGER) to.maximum = maximum;
  if (from.exclusiveMinimum === true && to.minimum !== undefined) to.exclusiveMinimum = true;
  if (from.exclusiveMaximum === true && to.maximum !== undefined) to.exclusiveMaximum = true;
}

function members(from: Schema, to: Schema, path: string): void {
  if (!isSchema(from.properties)) return;
  const properties: Schema = {};
  for (const [name, property] of Object.entries(from.properties)) {
    if (isSchema(property)) properties[name] = structural(property, `${path}.${name}`, true);
  }
  if (Object.keys(properties).length > 0) to.properties = properties;
  // A defaulted field is never missing once the API server has filled it in, so it needs no `required`.
  const required = Array.isArray(from.required) ? from.required : [];
  const demanded = required.filter((name) => {
    const property = properties[String(name)];
    return !(isSchema(property) && property.default !== undefined);
  });
  if (demanded.length > 0) to.required = demanded;
}

function isSchema(value: Json | undefined): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
