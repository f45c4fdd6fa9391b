import { spawnSync } from 'node:child_process';

/** Everything that can be said of the sources without running them: types, lint, format, what is unused. */
const checks: readonly (readonly string[])[] = [
  ['tsc', '-p', '.'],
  ['oxlint', '--quiet'],
  ['prettier', '--check', '--log-level', 'warn', '.'],
  ['knip', '--no-progress'],
];

let failed = 0;
for (const [command = '', ...args] of checks) {
  const { status, error } = spawnSync(command, args, { stdio: 'inherit' });
  if (status === 0) continue;
  failed += 1;
  console.error(`check: ${[command, ...args].join(' ')} ${error ? String(error) : `ended with ${status}`}`);
}
process.exitCode = failed === 0 ? 0 : 1;
