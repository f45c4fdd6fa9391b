import { Fault } from '../../builder/fault.ts';
import { type Fields, formatParagraph } from '../package/format.ts';
import { display } from '../package/name.ts';
import { problemText, type Problem, valueOf } from '../package/problem.ts';
import { makeCommand, parseCommand } from './command.ts';
import { complain, type Context, print } from './context.ts';
import { checkAffected, printAffected } from './control-affected.ts';
import { printCatalogue } from './control-catalogue.ts';
import { checkControls } from './control-check.ts';
import { type ControlInput, readControlInput } from './control-input.ts';
import { lintRecipes } from './control-lint.ts';
import { recordFields, fieldOf, letters, type View, viewOf } from './control-view.ts';
import { usage } from './option-value.ts';

const summary = [
  'Reads, checks and prints control files: of recipes (source) and of packages (binary).',
  'Each PATH is a control file, a directory with the file control (a recipe, the tree of a package), or - for ' +
    'standard input; without one it is the directory you are in. Without an option the file is printed as it ' +
    'is, and of a package in a repository what its build recorded too: Origin, Build-Key, Built-From, Diff-ID and Layer.',
  'The exit status is 1 if a field or a program that was asked for is not there, or if --check or --lint finds an error, and 2 if a file ' +
    'or an option is not right.',
].join('\n\n');

const examples = `
pkgcontrol -f Version packages/gcc/5.3.0
for file in $(pkgcontrol -s packages/gcc/5.3.0); do echo "$file"; done
pkgcontrol --package gcc-doc -f Depends-Run packages/gcc/5.3.0
pkgcontrol --check packages/*/*
pkgcontrol --lint packages/*/*
pkgcontrol --affected musl iconv.lo -d bootstrap/stage3_packages
pkgcontrol --catalogue
pkgcontrol --json bootstrap/quickstart_packages/*/* | jq -r .fields.License
`;

type Options = Partial<Record<(typeof letters)[number], true>> & {
  readonly field?: string[];
  readonly package?: string;
  readonly check?: true;
  readonly lint?: true;
  readonly catalogue?: true;
  readonly affected?: string;
  readonly directory?: string[];
  readonly json?: true;
};

export function main(context: Context): number | Promise<number> {
  const command = makeCommand(context, summary, examples)
    .argument('[PATH...]', 'control file, directory with one, or -')
    .option(
      '-f, --field <FIELD>',
      'print the value of a field, the items of a list one a line; of several fields with their names',
      (value: string, others: string[] = []) => [...others, value],
    )
    .option('--package <NAME>', 'of a source: this package as its own control will describe it')
    .option('-p', 'print the names of the binary packages')
    .option('-s', 'print the source archives of a source, or NAME,VERSION of the source of a package')
    .option('-n', 'print the name')
    .option('-v', 'print the version')
    .option('-r', 'print what it depends on to run')
    .option('-b', 'print what a source is built with, or what a package was built from')
    .option('-u', 'print what a source is unpacked with')
    .option('--check', 'read all PATHs and tell every error and warning')
    .option('--lint', 'tell what is wrong or odd in recipes: PATHs, or names of recipes')
    .option('--catalogue', 'print a table of what recipes make, of those below PATHs or of all')
    .option(
      '--affected <LIBRARY>',
      'print the programs that have its members PATH... in them, as their linkers told',
    )
    .option(
      '-d, --directory <REPOSITORY>',
      'where --affected looks; repeatable',
      (word: string, others: string[] = []) => [...others, word],
    )
    .option('--json', 'print JSON, one line for each PATH');
  if (!parseCommand(command, context.args)) return 0;
  const options = command.opts<Options>();
  const paths = command.args.length === 0 ? ['.'] : command.args;
  const chosen = ([...letters, 'field', 'check', 'lint', 'catalogue', 'affected'] as const).filter(
    (option) => options[option],
  );
  if (chosen.length > 1)
    throw usage(
      'only one of -f -p -s -n -v -r -b -u --check --lint --catalogue --affected can be given',
      'leave one',
    );
  const json = options.json ?? false;
  if (options.check) return checkControls(paths, context, json);
  if (options.lint) return lintRecipes(paths, context, json);
  if (options.catalogue) return printCatalogue(command.args, context, json);
  if (options.affected !== undefined) {
    checkAffected(options.affected);
    return printAffected(options.affected, command.args, options.directory ?? [], json, context);
  }
  let status = 0;
  for (const [index, path] of paths.entries()) {
    const input = readControlInput(path, context.cwd);
    valueOf(input);
    if (chosen.length === 0) warn(context.tool, input.warnings);
    if (!show(input, options, index > 0)) status = 1;
  }
  return status;
}

/** Prints what the options ask for; false where a field is not there. */
function show(input: ControlInput, options: Options, follows: boolean): boolean {
  const view = viewOf(input, options.package);
  const letter = letters.find((candidate) => options[candidate]);
  if (letter) {
    const list = view.lists[letter];
    if (!list)
      throw new Fault('INPUT', `${display(view.file)}: a ${view.kind} control has nothing for -${letter}`);
    print(options.json ? `${JSON.stringify(list)}\n` : list.map((item) => `${item}\n`).join(''));
    return true;
  }
  if (options.field) return showFields(view, options.field, options.json ?? false);
  if (options.json) print(`${JSON.stringify(jsonOf(view))}\n`);
  else
    print(
      `${follows ? '\n' : ''}${options.package === undefined ? textOf(input) : formatParagraph(view.fields)}`,
    );
  return true;
}

function showFields(view: View, names: readonly string[], json: boolean): boolean {
  const fields = names.map((name) => fieldOf(view, name));
  const [first] = fields;
  if (json) print(`${JSON.stringify({ file: view.file, fields: present(fields) })}\n`);
  else if (fields.length > 1) print(formatParagraph(fields));
  else
    print(
      [first?.[1] ?? []]
        .flat()
        .map((item) => `${item}\n`)
        .join(''),
    );
  return fields.every(([, value]) => value !== undefined && value.length > 0);
}

/** The text of the file and nothing else, except that of a package in a repository what its record adds. */
const textOf = ({ text, record }: ControlInput): string =>
  record ? `${text.trimEnd()}\n${formatParagraph(recordFields(record))}` : text;

const jsonOf = ({ file, kind, fields, packages }: View) => ({
  file,
  kind,
  fields: present(fields),
  ...(packages && { packages: packages.map(present) }),
});

const present = (fields: Fields) =>
  Object.fromEntries(fields.filter(([, value]) => value !== undefined && value.length > 0));

function warn(tool: string, warnings: readonly Problem[]): void {
  for (const warning of warnings) {
    const hint = warning.hint === undefined ? '' : `; ${warning.hint}`;
    complain(`${tool}: ${problemText(warning, 'warning')}${hint}\n`);
  }
}
