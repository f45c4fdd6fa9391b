import { quote } from '../package/name.ts';
import type { Origin } from '../package/record.ts';
import { type Call, helperArguments } from '../run/command.ts';

/** What is shown of a package that a root holds. */
export type ShownPackage = {
  readonly name: string;
  readonly version: string;
  readonly origin: Origin | undefined;
  readonly tree: string;
};

/** What would be run, as JSON: everything that the helper is told, and where each package comes from. */
export function describeJson(helper: string, call: Call, packages: readonly ShownPackage[]): string {
  const { root, shares = [], directory, environment, kept = {}, network = false, command } = call;
  const described = {
    packages: packages.map(({ name, version, origin, tree }) => ({
      name,
      version,
      origin: origin ?? null,
      tree,
    })),
    profile: root.profile,
    mounts: [
      ...root.binds.map(({ source, target }) => ({ source, target, writable: false })),
      ...shares.map(({ source, target, writable }) => ({ source, target, writable })),
    ],
    directory,
    environment,
    kept: Object.keys(kept),
    network,
    command,
    helper: [helper, ...helperArguments(call)],
  };
  return `${JSON.stringify(described, null, 2)}\n`;
}

/** The same for people, one thing a line; what the user or a file named is quoted. */
export function describe(call: Call, packages: readonly ShownPackage[]): string {
  const { root, shares = [], directory, environment, kept = {}, network, command } = call;
  const lines = [
    ...packages.map((each) => ['package', `${titleOf(each)}  ${quote(each.tree)}`]),
    ['profile', quote(root.profile)],
    ...shares.map(({ source, target, writable }) => [
      'mount',
      `/${target}  ${quote(source)}, ${writable ? 'read and write' : 'read-only'}`,
    ]),
    ...Object.entries(environment).map(([name, value]) => ['set', quote(`${name}=${value}`)]),
    ...Object.keys(kept).map((name) => ['keep', quote(name)]),
    ['network', network ? 'of the machine' : 'none'],
    ['start in', quote(directory)],
    ['command', command.map(quote).join(' ')],
  ];
  return lines.map(([what = '', text = '']) => `${what.padEnd(9)} ${text}\n`).join('');
}

/** `NAME VERSION`, and what generated its code where that is not known to be packages alone. */
export function titleOf({
  name,
  version,
  origin,
}: Pick<ShownPackage, 'name' | 'version' | 'origin'>): string {
  return origin === undefined ? `${name} ${version}` : `${name} ${version} (Origin: ${origin})`;
}
