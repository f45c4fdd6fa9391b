import { Fault } from '../../builder/fault.ts';

type Needy = { readonly name: string; readonly needs: readonly string[] };

/** The sets of names that need each other in circles (strongly connected, by Tarjan's algorithm), each sorted as given. */
export function circlesIn(tasks: readonly Needy[]): readonly (readonly string[])[] {
  const byName = new Map(tasks.map((task) => [task.name, task]));
  const index = new Map<string, number>();
  const stack: string[] = [];
  const circles: string[][] = [];
  const visit = (name: string): number => {
    const at = index.size;
    let lowest = at;
    index.set(name, at);
    stack.push(name);
    for (const need of byName.get(name)?.needs ?? []) {
      if (!byName.has(need)) continue;
      if (!index.has(need)) lowest = Math.min(lowest, visit(need));
      else if (stack.includes(need)) lowest = Math.min(lowest, index.get(need) ?? at);
    }
    if (lowest === at) {
      const members = new Set(stack.splice(stack.indexOf(name)));
      const itself = byName.get(name)?.needs.includes(name) ?? false;
      if (members.size > 1 || itself)
        circles.push(tasks.map((task) => task.name).filter((each) => members.has(each)));
    }
    return lowest;
  };
  for (const { name } of tasks) if (!index.has(name)) visit(name);
  return circles;
}

/** A shortest way from the first of `members` back to it, both ends included. */
export function circleIn(tasks: readonly Needy[], members: readonly string[]): readonly string[] {
  const needs = new Map(
    tasks.map((task) => [task.name, task.needs.filter((need) => members.includes(need))]),
  );
  const first = members[0] ?? '';
  const ways: string[][] = [[first]];
  const seen = new Set<string>();
  for (let way = ways.shift(); way; way = ways.shift()) {
    for (const next of needs.get(way.at(-1) ?? '') ?? []) {
      if (next === first) return [...way, first];
      if (!seen.has(next)) ways.push([...way, next]);
      seen.add(next);
    }
  }
  return [first];
}

/** `names`: the way around, the first again at the end. */
export const circleFault = (names: readonly string[]): Fault =>
  new Fault('UNSATISFIABLE', `builds need each other in a circle: ${names.join(' needs ')}`, {
    hint: 'one of them has to be there already: name a repository that has it with -p',
  });

/** Tasks with more needs, by name, where these make no circle. */
export function withLater<T extends Needy>(
  tasks: readonly T[],
  more: ReadonlyMap<string, readonly string[]>,
): T[] {
  const needs = new Map(tasks.map((task) => [task.name, new Set(task.needs)]));
  const reaches = (from: string, to: string, seen = new Set<string>()): boolean => {
    if (from === to) return true;
    if (seen.has(from)) return false;
    seen.add(from);
    return [...(needs.get(from) ?? [])].some((each) => reaches(each, to, seen));
  };
  for (const { name } of tasks) {
    for (const need of more.get(name) ?? []) if (!reaches(need, name)) needs.get(name)?.add(need);
  }
  return tasks.map((task) => ({ ...task, needs: [...(needs.get(task.name) ?? [])] }));
}
