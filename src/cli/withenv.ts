import { Fault } from '../../builder/fault.ts';
import { checkName, checkVersion, display, quote } from '../package/name.ts';
import { bring, labelOf } from '../package/elsewhere.ts';
import type { Repository } from '../package/repository.ts';
import { type ChosenPackage, mountedPackage } from '../run/chosen.ts';
import { enter } from '../run/enter.ts';
import { parseArguments } from './arguments.ts';
import { type Context, print } from './context.ts';
import { findIn } from './repositories.ts';
import { runHelp } from './run-help.ts';
import { runInRoot } from './run-in-root.ts';
import { versionLine } from './version.ts';

/** Becomes a command in a root of exactly the packages and versions that are named; nothing is resolved. */
export async function main(context: Context): Promise<number> {
  const args = parseArguments(context.args);
  if (args.flags.has('help')) return done(runHelp(context.tool));
  if (args.flags.has('version')) return done(versionLine(context));
  if (args.flags.has('doctor')) {
    return enter(context.places.helper, ['--doctor', ...(args.flags.has('json') ? ['--json'] : [])]);
  }
  if (args.packages.length === 0) {
    throw new Fault('USAGE', 'no package is named', { hint: 'name each with its version: -p mksh,59c' });
  }
  const { repositories, packages } = await findIn(args.repositories, context, (repositories) => ({
    repositories,
    packages: args.packages.map((word) => find(repositories, word)),
  }));
  checkOnce(packages);
  if (!args.flags.has('dryRun')) await bring(packages, 'tree');
  return runInRoot(context, args, {
    repositories: repositories.map(({ directory }) => directory),
    packages: packages.map(mountedPackage),
  });
}

function done(text: string): number {
  print(text);
  return 0;
}

type Found = ChosenPackage & { readonly repository: Repository };

function find(repositories: readonly Repository[], word: string): Found {
  const [, name = '', version = ''] = /^([^,=]*)[,=](.*)$/s.exec(word) ?? [];
  if (name === '' || version === '') {
    throw new Fault('USAGE', `-p ${quote(word)} is no package with its version`, {
      hint: 'write NAME,VERSION; withpkgs chooses versions by itself. -- or a path begins the command',
    });
  }
  checkName(name, '-p');
  checkVersion(version, '-p');
  const home = repositories.find((repository) => repository.versions(name).includes(version));
  if (home) {
    const record = home.record(name, version);
    return { name, version, record, tree: home.tree(name, version), repository: home };
  }
  const known = [...new Set(repositories.flatMap((repository) => repository.versions(name)))];
  throw new Fault('NOT_FOUND', `there is no package ${name} ${version}`, {
    hint:
      known.length === 0
        ? `no repository has ${name}: ${repositories.map((each) => quote(labelOf(each))).join(', ')}`
        : `of ${name} there is ${known.map(display).join(', ')}`,
  });
}

/** A root has one version of a name: their links would fight, and two answers to one name are an accident. */
function checkOnce(packages: readonly ChosenPackage[]): void {
  const seen = new Map<string, string>();
  for (const { name, version } of packages) {
    const other = seen.get(name);
    if (other !== undefined) {
      throw new Fault('USAGE', `-p names ${name} twice: ${other} and ${version}`, {
        hint: 'leave one of them out',
      });
    }
    seen.set(name, version);
  }
}
