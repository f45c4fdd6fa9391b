import type { Comparator } from './constraint.ts';

/** The numbers that shorthands count up: `R54` has R and 54, `7.3p1` 7 and 3, `1:9.2p1-2` the epoch, 9 and 2. */
type Core = {
  /** Epoch with its colon, and letters before the first number. */
  readonly prefix: string;
  readonly numbers: readonly string[];
  /** Whether the version is nothing else. */
  readonly whole: boolean;
};

/** Undefined where there is no number to count up. */
export function coreOf(version: string): Core | undefined {
  const [all, prefix, numbers] = /^((?:[0-9]+:)?[A-Za-z]*)([0-9]+(?:\.[0-9]+)*)/.exec(version) ?? [];
  if (all === undefined || prefix === undefined || numbers === undefined) return undefined;
  return { prefix, numbers: numbers.split('.'), whole: all === version };
}

/**
 * The lowest version above every one that begins like `core` up to number `index`: that number plus one, and
 * `~~`, which is below all that starts with it, pre-releases (`8~rc1`) and stage builds (`8-~~stage1`) included.
 */
function after({ prefix, numbers }: Core, index: number): string {
  const next = BigInt(numbers[index] ?? '0') + 1n;
  return `${prefix}${[...numbers.slice(0, index), next].join('.')}~~`;
}

const afterLast = (core: Core): string => after(core, core.numbers.length - 1);

/** `^V`: up to the next change of its first number that is not zero. */
export function caret(version: string, core: Core): Comparator[] {
  const significant = core.numbers.findIndex((number) => !/^0+$/.test(number));
  const bound = significant < 0 ? afterLast(core) : after(core, significant);
  return [atLeast(version), below(bound)];
}

/** `~V` and `~>V`: up to the next change of its second number, of the first where there is one only. */
export const tilde = (version: string, core: Core): Comparator[] => [
  atLeast(version),
  below(after(core, Math.min(1, core.numbers.length - 1))),
];

/** `A - B`: B and all that begins with it where B is plain numbers, else up to B itself. Empty means no bound. */
export function hyphen(low: string, high: string): Comparator[] {
  const from = low === '' ? [] : [atLeast(low)];
  if (high === '') return from;
  const core = coreOf(high);
  return [...from, core?.whole ? below(afterLast(core)) : { op: '<=', version: high }];
}

/** `P.*` behind each operator, as sets of which one must hold; `stem` is P, all of which is `core`. */
export function wildcard(op: string, stem: string, core: Core): Comparator[][] {
  const next = afterLast(core);
  const from = atLeast(stem);
  if (op === '^') return [caret(stem, core)];
  if (op === '~') return [tilde(stem, core)];
  if (op === '>=') return [[from]];
  if (op === '>') return [[atLeast(next)]];
  if (op === '<') return [[below(`${stem}~~`)]];
  if (op === '<=') return [[below(next)]];
  if (op === '!=') return [[{ op: '<', version: stem }], [atLeast(next)]];
  return [[from, below(next)]];
}

const atLeast = (version: string): Comparator => ({ op: '>=', version });
const below = (version: string): Comparator => ({ op: '<', version });
