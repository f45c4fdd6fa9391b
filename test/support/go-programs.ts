import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** Peers that no distribution packages, pinned. */
const modules = {
  crane: { path: 'github.com/google/go-containerregistry/cmd/crane', version: 'v0.22.1' },
  registry: { path: 'github.com/distribution/distribution/v3/cmd/registry', version: 'v3.1.2' },
} as const;

/** The path of a peer, built once for this user; without Go that is the capability that is missing. */
export function goProgram(name: keyof typeof modules): string {
  const { path, version } = modules[name];
  const cache = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache');
  const directory = join(cache, 'static-distro-test/bin');
  const program = join(directory, `${name}-${version}`);
  if (existsSync(program)) return program;
  mkdirSync(directory, { recursive: true });
  const place = mkdtempSync(join(directory, 'new-'));
  const env = { ...process.env, GOBIN: place, GOFLAGS: '-p=2' };
  const built = spawnSync('go', ['install', `${path}@${version}`], { env, encoding: 'utf8' });
  if (built.error || built.status !== 0) {
    throw new Error(`needs Go, to build ${name} ${version}: ${built.error?.message ?? built.stderr}`);
  }
  renameSync(join(place, name), program);
  return program;
}
