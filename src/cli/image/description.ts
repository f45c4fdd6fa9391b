import { isUtf8 } from 'node:buffer';
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

/** A description, and where in its file a field is: `FILE:LINE`. */
export type ReadDescription = {
  readonly description: Description;
  readonly placeOf: (field: readonly string[]) => string;
};

/** Reads YAML or JSON; paths of `files` become absolute. Throws INPUT with file, line and field, or NOT_FOUND. */
export function readDescription(path: string, schema: string): ReadDescription {
  const lines = new LineCounter();
  const text = textOf(read(path), path);
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, logLevel: 'error' });
  const [error] = document.errors;
  if (error) {
    const { line } = lines.linePos(error.pos[0]);
    throw new Fault('INPUT', `${display(path)}:${line}: no YAML: ${quote(error.message)}`);
  }
  const value: unknown = document.toJS();
  const validate = new Ajv({ allErrors: false }).compile<Description>(
    JSON.parse(read(schema).toString()) as object,
  );
  if (!validate(value)) throw wrong(path, document, lines, validate.errors?.[0]);
  checkFiles(value, (at, message) => {
    throw wrong(path, document, lines, { instancePath: `/files/${at}/path`, message });
  });
  const base = dirname(path);
  const files = value.files?.map((each) =>
    each.source === undefined ? each : Object.assign({}, each, { source: resolve(base, each.source) }),
  );
  return {
    description: { ...value, ...(files && { files }) },
    placeOf: (field) => `${display(path)}:${lineOf(nearestNode(document, field), lines)}`,
  };
}

/** Throws INPUT for bytes that are no UTF-8, which would silently become others. */
function textOf(bytes: Buffer, path: string): string {
  if (isUtf8(bytes)) return bytes.toString();
  let line = 1;
  for (let from = 0; ; line += 1) {
    const end = bytes.indexOf(10, from);
    if (end < 0 || !isUtf8(bytes.subarray(from, end))) break;
    from = end + 1;
  }
  throw new Fault('INPUT', `${display(path)}:${line}: there are bytes that are no UTF-8`, {
    hint: 'what is no text can be a file of its own: source: FILE',
  });
}

function checkFiles({ files = [] }: Description, wrongAt: (at: number, message: string) => never): void {
  const seen = new Set<string>();
  for (const [at, file] of files.entries()) {
    const place = file.path.replace(/\/+$/, '');
    if (seen.has(place)) wrongAt(at, 'is there twice');
    seen.add(place);
  }
}

function read(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw asFault(error, `reading ${display(path)}`);
  }
}

type Wrong = Partial<Pick<ErrorObject, 'instancePath' | 'message' | 'params' | 'keyword' | 'propertyName'>>;

function wrong(path: string, document: Document, lines: LineCounter, error: Wrong | undefined): Fault {
  const fields = (error?.instancePath ?? '').split('/').slice(1);
  const unknown = (error?.params as { additionalProperty?: string } | undefined)?.additionalProperty;
  const extra = unknown ?? error?.propertyName;
  const node = document.getIn(fields, true) as Node | undefined;
  const keys = extra === undefined ? [] : (node?.items ?? []).map((item) => item.key);
  // A key that is a list or a map has its text for a name, and no value of its own.
  const key = keys.find((each) => each?.value === extra) ?? keys.find((each) => each?.value === undefined);
  const line = lineOf(key ?? node, lines);
  const field = [...fields, ...(extra === undefined ? [] : [extra])].join('.');
  const where = field === '' ? '' : ` ${quote(field)}`;
  const message = unknown === undefined ? messageOf(error) : 'is not a field';
  return new Fault('INPUT', `${display(path)}:${line}:${where} ${message}`, {
    hint: 'docs/image.schema.json has all fields, and editors use it',
  });
}

const lineOf = (node: Node | undefined, lines: LineCounter): number =>
  lines.linePos(node?.range?.[0] ?? 0).line;

/** That of the field, or of what it is part of where it has its default value, or stands behind an alias. */
function nearestNode(document: Document, field: readonly string[]): Node | undefined {
  for (let length = field.length; length > 0; length -= 1) {
    const node = document.getIn(field.slice(0, length), true) as Node | undefined;
    if (node?.range) return node;
  }
  return undefined;
}

/** The only `not` in the schema is that of the two contents of a file. */
const messageOf = (error: Wrong | undefined): string =>
  error?.keyword === 'not' ? 'has both source and text' : (error?.message ?? 'is wrong');

/** What is needed of the nodes of `yaml`: every kind has a range, a map has pairs. */
type Node = {
  readonly range?: readonly [number, number, number] | null;
  readonly items?: readonly { readonly key?: Node & { readonly value?: unknown } }[];
};
