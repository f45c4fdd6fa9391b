import { join, resolve } from 'node:path';
import { Fault, withField } from '../../../builder/fault.ts';
import { quote } from '../../package/name.ts';
import { parseRequest } from '../../package/relation.ts';
import type { Wish } from '../../solve/universe.ts';
import { Unsatisfiable } from '../../solve/unsatisfiable.ts';
import type { Context } from '../context.ts';
import type { Description } from './description.ts';
import { type ImageOptions, readPairs } from './image-options.ts';

/** What the file of `--file` says, nothing without one. */
export type Described = {
  readonly description: Description;
  /** What is asked for in it. Throws INPUT with file, line and field. */
  readonly wishes: readonly Wish[];
  /** The error with file, line and field in front, if it is one of a field that has its value from the file. */
  readonly located: (error: unknown) => unknown;
};

/** What reads it is loaded only here: it is large. */
export async function readDescribed(options: ImageOptions, { cwd, places }: Context): Promise<Described> {
  if (options.file === undefined) return { description: {}, wishes: [], located: (error) => error };
  const { readDescription } = await import('./description.ts');
  const schema = join(places.root, 'docs/image.schema.json');
  const { description, placeOf } = readDescription(resolve(cwd, options.file), schema);
  const wishes: Wish[] = [];
  const located = (error: unknown): unknown => {
    if (!(error instanceof Fault)) return error;
    const field = fieldOf(error, wishes);
    if (!field || !isFromFile(field, description, options)) return error;
    const { code, message, hint } = error;
    return new Fault(
      code === 'USAGE' ? 'INPUT' : code,
      `${placeOf(field)}: ${quote(field.join('.'))}: ${message}`,
      { ...(hint !== undefined && { hint }), cause: error },
    );
  };
  for (const [at, word] of (description.packages ?? []).entries()) {
    const field = ['packages', String(at)];
    try {
      wishes.push(Object.assign(parseRequest(word), { from: placeOf(field) }));
    } catch (error) {
      throw located(withField(error, field));
    }
  }
  return { description, wishes, located };
}

/** Of wishes that nothing meets, the first that the file has. */
function fieldOf(error: Fault, wishes: readonly Wish[]): readonly string[] | undefined {
  if (!(error instanceof Unsatisfiable)) return error.field;
  const at = wishes.findIndex((wish) => error.core.some(({ relation }) => relation === wish));
  return at < 0 ? undefined : ['packages', String(at)];
}

/** Lists are continued by options, what has names is replaced name by name, and anything else as a whole. */
function isFromFile(
  [name = '', part = '']: readonly string[],
  description: Description,
  options: ImageOptions,
): boolean {
  const said = new Map<string, unknown>(Object.entries(description)).get(name);
  switch (name) {
    case 'packages':
    case 'ports':
    case 'volumes':
    case 'accounts':
    case 'files':
      return Array.isArray(said) && (part === '' || Number(part) < said.length);
    case 'env':
      return said !== undefined && !Object.hasOwn(readPairs('--env', options.env), part);
    case 'labels':
      return said !== undefined && !Object.hasOwn(readPairs('--label', options.label), part);
    case 'platforms':
      return said !== undefined && options.platform.length === 0;
    default:
      return said !== undefined && new Map<string, unknown>(Object.entries(options)).get(name) === undefined;
  }
}
