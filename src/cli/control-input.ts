import { readFileSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { asFault, Fault } from '../../builder/fault.ts';
import { checkControl, type Control } from '../package/control.ts';
import { display, quote, versionInPath } from '../package/name.ts';
import { decodeText } from '../package/paragraph.ts';
import type { Checked, Problem } from '../package/problem.ts';
import { openRepository } from '../package/repository.ts';
import type { PackageRecord } from '../package/record.ts';

/** What a word of the command line names: a control, and what is known of the tree that it lies in. */
export type ControlInput = Checked<Control> & {
  /** As it is called in messages. */
  readonly file: string;
  readonly text: string;
  /** Only of a package's tree in a repository; of unknown origin where no record fits the tree. */
  readonly record: PackageRecord | undefined;
};

/** Reads a control file, the file `control` of a directory, or standard input (`-`). Throws NOT_FOUND, IO, INPUT. */
export function readControlInput(path: string, cwd: string): ControlInput {
  if (path === '-') return { ...readControl(0, '<stdin>'), record: undefined };
  const full = resolve(cwd, path);
  if (!isDirectory(full, path)) return { ...readControl(full, path), record: undefined };
  const input = readControl(join(full, 'control'), join(path, 'control'));
  if (!input.value) return { ...input, record: undefined };
  const { kind, control } = input.value;
  const hasName = basename(dirname(full)) === control.name;
  const hasVersion = basename(full) === versionInPath(control.version);
  if (hasName !== hasVersion) {
    const warning = misplaced(
      input.file,
      hasName ? 'Version' : kind === 'source' ? 'Source' : 'Package',
      full,
    );
    return { ...input, warnings: [...input.warnings, warning], record: undefined };
  }
  if (kind === 'source' || !hasName) return { ...input, record: undefined };
  const repository = openRepository(dirname(dirname(full)));
  return { ...input, record: repository.record(control.name, control.version) };
}

function isDirectory(full: string, path: string): boolean {
  try {
    return statSync(full).isDirectory();
  } catch (error) {
    throw asFault(error, `reading ${display(path)}`);
  }
}

/** A megabyte is a thousand times what a control needs: more is another file, given by mistake. */
const largest = 1 << 20;

function readControl(source: string | 0, file: string) {
  let bytes: Buffer;
  try {
    bytes = readFileSync(source);
  } catch (error) {
    const fault = asFault(error, `reading ${display(file)}`);
    if (!(fault instanceof Fault) || fault.code !== 'NOT_FOUND') throw fault;
    const hint = 'name a control file, or a directory that has one: a recipe or the tree of a package';
    throw new Fault('NOT_FOUND', fault.message, { hint, cause: error });
  }
  if (bytes.length > largest) {
    throw new Fault('INPUT', `${display(file)}: ${bytes.length} bytes are too many for a control file`);
  }
  const text = decodeText(bytes, file);
  return { ...checkControl(text, file), file, text };
}

/** A recipe and a package lie in NAME/VERSION; where one of the two fits and the other does not, it is a mistake. */
function misplaced(file: string, field: string, directory: string): Problem {
  const place = `${basename(dirname(directory))}/${basename(directory)}`;
  const message = `differs from the directory, which is ${quote(place)}`;
  return { file, line: 1, column: 1, field, message, hint: 'a control lies in NAME/VERSION' };
}
