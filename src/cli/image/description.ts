import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { Ajv, type ErrorObject } from 'ajv';
import { type Document, LineCounter, parseDocument } from 'yaml';
import { asFault, Fault } from '../../../builder/fault.ts';
import { display, quote } from '../../package/name.ts';

/** An image description as docs/image.schema.json says, every field of which is an option too. */
export type Description = {
  readonly packages?: readonly string[];
  readonly entrypoint?: readonly string[];
  readonly cmd?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly user?: string;
  readonly workdir?: string;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly stopSignal?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly platforms?: readonly string[];
  readonly budget?: number;
  readonly encoding?: 'gzip-1' | 'zstd-1' | 'none';
  readonly created?: number;
  readonly accounts?: readonly {
    readonly name: string;
    readonly uid: number;
    readonly gid?: number;
    readonly home?: string;
    readonly shell?: string;
  }[];
  readonly files?: readonly {
    readonly path: string;
    readonly source?: string;
    readonly text?: string;
    readonly mode?: string;
    readonly uid?: number;
    readonly gid?: number;
  }[];
};

/** Reads YAML or JSON; paths of `files` become absolute. Throws INPUT with file, line and field, or NOT_FOUND. */
export function readDescription(path: string, schema: string): Description {
  const lines = new LineCounter();
  const document = parseDocument(read(path), { lineCounter: lines, prettyErrors: false });
  const [error] = document.errors;
  if (error) {
    const { line } = lines.linePos(error.pos[0]);
    throw new Fault('INPUT', `${display(path)}:${line}: no YAML: ${quote(error.message)}`);
  }
  const value: unknown = document.toJS();
  const validate = new Ajv({ allErrors: false }).compile<Description>(JSON.parse(read(schema)) as object);
  if (!validate(value)) throw wrong(path, document, lines, validate.errors?.[0]);
  const base = dirname(path);
  return {
    ...value,
    ...(value.files && {
      files: value.files.map((each) =>
        each.source === undefined ? each : Object.assign({}, each, { source: resolve(base, each.source) }),
      ),
    }),
  };
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw asFault(error, `reading ${display(path)}`);
  }
}

function wrong(path: string, document: Document, lines: LineCounter, error: ErrorObject | undefined): Fault {
  const fields = (error?.instancePath ?? '').split('/').slice(1);
  const extra = (error?.params as { additionalProperty?: string } | undefined)?.additionalProperty;
  const node = document.getIn(fields, true) as Node | undefined;
  const key = node?.items?.find(({ key: each }) => extra !== undefined && each?.value === extra)?.key;
  const { line } = lines.linePos((key ?? node)?.range?.[0] ?? 0);
  const field = [...fields, ...(extra === undefined ? [] : [extra])].join('.');
  const where = field === '' ? '' : ` ${quote(field)}`;
  const message = extra === undefined ? (error?.message ?? 'is wrong') : 'is not a field';
  return new Fault('INPUT', `${display(path)}:${line}:${where} ${message}`, {
    hint: 'docs/image.schema.json has all fields, and editors use it',
  });
}

/** What is needed of the nodes of `yaml`: every kind has a range, a map has pairs. */
type Node = {
  readonly range?: readonly [number, number, number] | null;
  readonly items?: readonly { readonly key?: Node & { readonly value?: unknown } }[];
};
