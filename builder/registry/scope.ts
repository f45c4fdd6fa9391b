/** What a token shall allow, as docker's token server writes it: `repository:NAME:pull,push`. */
export type Scope = string;

export type Access = 'pull' | 'push' | 'delete';

const actions: Readonly<Record<Access, string>> = {
  pull: 'pull',
  push: 'pull,push',
  delete: 'pull,push,delete',
};

export const scopeOf = (name: string, access: Access): Scope => `repository:${name}:${actions[access]}`;

/**
 * The scopes of a request, the one that writes first (some registries read only that), then those that a mount
 * needs. What a server asked for in its challenge comes before all.
 */
export function mergeScopes(asked: string | undefined, wanted: readonly Scope[]): readonly Scope[] {
  const merged = new Map<string, Set<string>>();
  for (const scope of [...(asked ?? '').split(' '), ...wanted]) {
    const end = scope.lastIndexOf(':');
    if (end <= 0) continue;
    const resource = scope.slice(0, end);
    const names = merged.get(resource) ?? new Set();
    for (const action of scope.slice(end + 1).split(',')) names.add(action);
    merged.set(resource, names);
  }
  return [...merged].map(([resource, names]) => `${resource}:${[...names].join(',')}`);
}
