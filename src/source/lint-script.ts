import type { Buffer } from 'node:buffer';

/** What a rule has against a line of a script. */
export type ScriptFinding = {
  readonly rule: string;
  readonly severity: 'error' | 'warning';
  readonly line: number;
  readonly message: string;
  readonly hint: string;
};

type Rule = Omit<ScriptFinding, 'line' | 'message'> & {
  /** The scripts that it is for; all, if not said. */
  readonly scripts?: readonly string[];
  /** What is found in a command, the lines of which have been joined. */
  readonly finds: (command: string) => string | undefined;
};

const first =
  (pattern: RegExp) =>
  (command: string): string | undefined =>
    pattern
      .exec(command)
      ?.slice(1)
      .find((group) => group !== undefined);

/** At the start of a command: of a line, or behind what separates commands. */
const command = (names: string): RegExp =>
  new RegExp(`(?:^|[;&|({\`]|\\bexec |\\bthen |\\bdo )\\s*(${names})(?=[\\s;)]|$)`);

const rules: readonly Rule[] = [
  {
    rule: 'cpu',
    severity: 'error',
    hint: 'write "$ARCH", "$ARCH_BUILD" or "$ARCH_TARGET": a recipe is for every machine',
    finds: first(
      /\b((?:x86_64|i[3-6]86|aarch64|arm(?:v\w+|64)?|amd64|riscv64|powerpc64(?:le)?|s390x)-(?:\w+-){1,2}(?:musl|gnu)\w*)/,
    ),
  },
  {
    rule: 'configure',
    severity: 'warning',
    scripts: ['build.sh'],
    hint: 'pass --build="$ARCH_BUILD" --host="$ARCH", or it asks the processor and the kernel',
    finds(text) {
      const call = /(?:^|[\s;&|(])((?:\S*\/)?configure)\s(.*)$/.exec(text);
      if (!call || text.trimStart().startsWith('cd ')) return undefined;
      return /--build[= ]/.test(text) && /--host[= ]/.test(text)
        ? undefined
        : `${call[1]} without --build and --host`;
    },
  },
  {
    rule: 'network',
    severity: 'error',
    scripts: ['unpack.sh', 'build.sh'],
    hint: 'scripts have no network: list what is needed as a distfile in Sources',
    finds: first(
      command(
        'curl|wget|ftp|scp|rsync|git (?:clone|fetch|pull)|svn (?:co|checkout)|pip3? install|npm (?:ci|install)|go get',
      ),
    ),
  },
  {
    rule: 'native',
    severity: 'error',
    hint: 'the package would only run on processors like the one that built it: leave it out',
    finds: first(/(-m(?:arch|tune|cpu)=native)\b/),
  },
  {
    rule: 'machine',
    severity: 'warning',
    scripts: ['unpack.sh', 'build.sh'],
    hint: 'another machine or day would give other bytes: write a constant, or $SOURCE_DATE_EPOCH, $ARCH, $MAKE_JOBS',
    finds: (text) =>
      first(command('date|hostname|uname(?: -\\w+)?|nproc|whoami'))(text) ??
      first(/\$\((date|hostname|uname|nproc|whoami)\b/)(text),
  },
  {
    rule: 'host-path',
    severity: 'warning',
    hint: 'in a root there is no such place; what is needed is in Depends-Build and found in /bin, /lib, /include',
    finds: first(/(?:^|[\s="':])(\/(?:usr\/local|home|root|opt)\/[^\s"']*)/),
  },
];

/** Names of rules that `# lint: allow RULE…` above a command takes back. */
const allowed = (line: string): readonly string[] =>
  (/^\s*#\s*lint: allow\s+(.*)$/.exec(line)?.[1] ?? '').split(/[\s,]+/).filter((word) => word !== '');

/** Looks at one script: what it would do on another machine, and what it cannot do at all. */
export function lintScript(name: string, bytes: Buffer): ScriptFinding[] {
  const lines = bytes.toString().split('\n');
  const findings: ScriptFinding[] = [];
  const fitting = rules.filter(({ scripts }) => scripts === undefined || scripts.includes(name));
  const passes: string[] = [];
  let commands = 0;
  for (let at = 0; at < lines.length; at += 1) {
    const start = at;
    let text = withoutComment(lines[at] ?? '');
    while (text.endsWith('\\') && at + 1 < lines.length) {
      at += 1;
      text = `${text.slice(0, -1)} ${withoutComment(lines[at] ?? '')}`;
    }
    if (text.trim() === '') {
      passes.push(...allowed(lines[start] ?? ''));
      continue;
    }
    commands += 1;
    for (const { rule, severity, hint, finds } of fitting) {
      const found = passes.includes(rule) ? undefined : finds(text.trim());
      if (found !== undefined) findings.push({ rule, severity, line: start + 1, message: found, hint });
    }
    passes.length = 0;
  }
  if (commands > 1 && !lines.some((line) => /^\s*set -\w*e/.test(line))) {
    const hint = 'begin with set -e, or the script goes on after what failed';
    findings.push({
      rule: 'set-e',
      severity: 'error',
      line: 1,
      message: `${name} does not stop at errors`,
      hint,
    });
  }
  return findings;
}

/** A `#` in quotes or in a word, as in `${x#y}`, begins none. */
const withoutComment = (line: string): string => (/^\s*#/.test(line) ? '' : line.replace(/\s#\s[^'"]*$/, ''));
