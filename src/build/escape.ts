import type { Buffer } from 'node:buffer';

/** What a path of a tree is, as far as links lead through it: a link with its target, or something else. */
export type TreePaths = ReadonlyMap<string, { readonly target: Buffer } | undefined>;

/** The kernel follows this many links in one path. */
const mostLinks = 40;

/** The key of a path in {@link TreePaths}: its bytes, one a character. */
export const pathKey = (path: Buffer): string => path.toString('latin1');

/**
 * Whether the link at `path` leads out of its tree, which every root shows at `home` (`/packages/NAME/VERSION`).
 * Links on the way are followed as the kernel would. A target that is not there is no escape if it would be
 * inside.
 */
export function leadsOutside(paths: TreePaths, path: string, home: string): boolean {
  let left = mostLinks;
  const at = path.split('/').slice(0, -1);
  const todo = pieces(paths.get(path)?.target, at, home);
  if (!todo) return true;
  for (let name = todo.shift(); name !== undefined; name = todo.shift()) {
    if (name === '..') {
      if (at.pop() === undefined) return true;
      continue;
    }
    at.push(name);
    const link = paths.get(at.join('/'));
    if (!link) continue;
    left -= 1;
    // Links in a circle lead nowhere.
    if (left < 0) return false;
    at.pop();
    const next = pieces(link.target, at, home);
    if (!next) return true;
    todo.unshift(...next);
  }
  return false;
}

/** The names of a target in order; empties `at` for an absolute one. Undefined if it is not below `home`. */
function pieces(target: Buffer | undefined, at: string[], home: string): string[] | undefined {
  if (!target) return undefined;
  const text = pathKey(target);
  const names = text.split('/').filter((name) => name !== '' && name !== '.');
  if (!text.startsWith('/')) return names;
  const above = home.split('/').filter((name) => name !== '');
  if (!above.every((name, index) => names[index] === name)) return undefined;
  at.length = 0;
  return names.slice(above.length);
}
