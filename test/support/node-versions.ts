import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { output, root } from './tools.ts';

/** Other versions of Node than the project's own, as packages of the npm registry have them, with their SRI. */
const versions = {
  '22': {
    version: '22.15.0',
    x64: 'sha512-zOr1BZnxwcJUsIxIQK/MdRKMUAUg6s5YmVhq+nMFeipbE9mEnIND39y3XC0ZHg3IgY4gAXYVAk5mbJMSxKob3A==',
  },
  '26': {
    version: '26.10.0',
    x64: 'sha512-OmAztarr1gK4PD+sNyoku4N5Q40d8eqMuLjNa/zRvxF33aCsVKVIQLs4V5HYPWSWWlMiTdkmbZE/6Phigma0hw==',
  },
} as const;

/** The path of another Node, fetched once for this user. */
export function nodeProgram(major: keyof typeof versions): string {
  const { version, x64 } = versions[major];
  const name = `node-linux-${process.arch}`;
  const cache = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache');
  const directory = join(cache, 'static-distro-test');
  const place = join(directory, `${name}-${version}`);
  const program = join(place, 'package/bin/node');
  if (existsSync(program)) return program;
  mkdirSync(directory, { recursive: true });
  const fresh = mkdtempSync(join(directory, 'new-'));
  try {
    const args = ['pack', `${name}@${version}`, '--silent', '--pack-destination', fresh];
    const [archive = ''] = output('npm', args, { cwd: root, timeout: 600_000 }).trim().split('\n').slice(-1);
    const sri = createHash('sha512')
      .update(readFileSync(join(fresh, archive)))
      .digest('base64');
    if (process.arch === 'x64' && `sha512-${sri}` !== x64) throw new Error(`${archive} is sha512-${sri}`);
    output('tar', ['-xzf', join(fresh, archive), '-C', fresh, 'package/bin/node']);
    rmSync(join(fresh, archive));
    try {
      renameSync(fresh, place);
    } catch (error) {
      // Somebody else was faster.
      if (!existsSync(program)) throw error;
    }
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
  return program;
}
