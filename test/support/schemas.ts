import { Ajv, type ValidateFunction } from 'ajv';
import type { ExecutionContext } from 'ava';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './tools.ts';

/** Kinds of documents of the image specification. */
const schemas = ['config', 'image-index', 'image-layout', 'image-manifest'] as const;

const readSchema = (name: string) => {
  const text = readFileSync(join(root, 'registry-fixtures/schema', name), 'utf8');
  return JSON.parse(text, (key, value: unknown) =>
    key === 'id' || key === '$schema' ? undefined : value,
  ) as object;
};

/** The specification's own schemas (registry-fixtures/schema), which are of a draft that ajv calls by other words. */
export const valid = ((): Readonly<Record<Schema, ValidateFunction>> => {
  const ajv = new Ajv({ strict: false, allErrors: true });
  ajv.addFormat('date-time', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/);
  ajv.addFormat('uri', (text) => URL.canParse(text));
  for (const name of ['defs.json', 'defs-descriptor.json', 'content-descriptor.json'])
    ajv.addSchema(readSchema(name), name);
  const compiled = schemas.map((name) => [name, ajv.compile(readSchema(`${name}-schema.json`))] as const);
  return Object.fromEntries(compiled) as Record<Schema, ValidateFunction>;
})();

export type Schema = (typeof schemas)[number];

export function accepts(t: ExecutionContext, schema: Schema, bytes: Uint8Array): void {
  const document: unknown = JSON.parse(Buffer.from(bytes).toString());
  t.true(
    valid[schema](document),
    `${JSON.stringify(valid[schema].errors)} in ${Buffer.from(bytes).toString()}`,
  );
}
