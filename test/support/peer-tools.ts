/** Other clients of registries, run beside servers that this process plays: so never synchronously. */
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ended } from './ended.ts';
import { goProgram } from './go-programs.ts';
import type { RegistryOptions, RunningRegistry } from './registries.ts';
import { user } from './token-server.ts';

/** Standard output of a program that must succeed. */
export async function finish(
  program: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<string> {
  const child = spawn(program, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  const { status, stdout, stderr } = await ended(child);
  if (status !== 0)
    throw new Error(`${program} ${args.join(' ')} ended with ${String(status)}: ${stderr || stdout}`);
  return stdout;
}

export type Client = {
  /** The bytes of the manifest at `NAME:TAG`. */
  manifest(name: string): Promise<string>;
  /** From the registry into an OCI layout. */
  pull(name: string, layout: string): Promise<unknown>;
  /** From an OCI layout with one image into the registry. */
  push(layout: string, name: string): Promise<unknown>;
};

export function skopeo(directory: string, running: RunningRegistry, options: RegistryOptions): Client {
  const policy = join(directory, 'policy.json');
  writeFileSync(policy, '{"default":[{"type":"insecureAcceptAnything"}]}');
  const flags = (prefix: string) => [
    ...(options.auth ? [`--${prefix}creds`, `${user.name}:${user.password}`] : []),
    ...(options.tls
      ? [`--${prefix}cert-dir`, join(running.certificates, running.host)]
      : [`--${prefix}tls-verify=false`]),
  ];
  const place = (name: string) => `docker://${running.host}/${name}`;
  // Without one it looks below /run/containers, which root's podman keeps to itself.
  const env = { XDG_RUNTIME_DIR: directory };
  const call = (...args: string[]) => finish('skopeo', ['--policy', policy, ...args], env);
  return {
    manifest: (name) => call('inspect', ...flags(''), '--raw', place(name)),
    pull: (name, layout) =>
      call('copy', '--all', '--preserve-digests', ...flags('src-'), place(name), `oci:${layout}:image`),
    push: (layout, name) =>
      call('copy', '--all', '--preserve-digests', ...flags('dest-'), `oci:${layout}:image`, place(name)),
  };
}

export function crane(directory: string, running: RunningRegistry, options: RegistryOptions): Client {
  const docker = join(directory, 'docker');
  mkdirSync(docker, { recursive: true });
  const auth = Buffer.from(`${user.name}:${user.password}`).toString('base64');
  writeFileSync(
    join(docker, 'config.json'),
    JSON.stringify({ auths: options.auth ? { [running.host]: { auth } } : {} }),
  );
  const env = {
    DOCKER_CONFIG: docker,
    ...(options.tls && { SSL_CERT_FILE: join(running.certificates, running.host, 'ca.crt') }),
  };
  const place = (name: string) => `${running.host}/${name}`;
  const call = (...args: string[]) => finish(goProgram('crane'), args, env);
  return {
    manifest: (name) => call('manifest', place(name)),
    pull: (name, layout) => call('pull', '--format=oci', place(name), layout),
    push: (layout, name) => call('push', layout, place(name)),
  };
}

export type EngineStore = {
  pull(name: string): Promise<string>;
  run(image: string, ...command: string[]): Promise<string>;
  /** What `pull` brought, under another name; the digest. */
  push(from: string, to: string): Promise<string>;
  /** An index of images of one repository. */
  pushAll(from: readonly string[], to: string): Promise<void>;
};

/** podman with a store of its own; it needs root. Digests are what podman says: of an index, the index's. */
export function podman(directory: string, running: RunningRegistry, options: RegistryOptions): EngineStore {
  const policy = join(directory, 'policy.json');
  writeFileSync(policy, '{"default":[{"type":"insecureAcceptAnything"}]}');
  const places = [
    '--root',
    join(directory, 'root'),
    '--runroot',
    join(directory, 'runroot'),
    '--storage-driver',
    'vfs',
  ];
  const call = (...args: string[]) => finish('podman', [...places, '--runtime', 'runc', ...args]);
  const flags = [
    ...(options.auth ? ['--creds', `${user.name}:${user.password}`] : []),
    ...(options.tls ? ['--cert-dir', join(running.certificates, running.host)] : ['--tls-verify=false']),
  ];
  const place = (name: string) => `docker://${running.host}/${name}`;
  return {
    async push(from, to) {
      const file = join(directory, 'digest');
      const image = `${running.host}/${from}`;
      await call(
        'push',
        '--quiet',
        '--signature-policy',
        policy,
        '--digestfile',
        file,
        ...flags,
        image,
        place(to),
      );
      return readFileSync(file, 'utf8').trim();
    },
    async pushAll(from, to) {
      await call('manifest', 'create', 'several');
      for (const name of from) await call('manifest', 'add', ...flags, 'several', place(name));
      await call('manifest', 'push', '--all', '--quiet', ...flags, 'several', place(to));
    },
    async pull(name) {
      const id = await call(
        'pull',
        '--quiet',
        '--signature-policy',
        policy,
        ...flags,
        `${running.host}/${name}`,
      );
      return (await call('image', 'inspect', '--format', '{{.Digest}}', id.trim())).trim();
    },
    run: (image, ...command) =>
      call(
        'run',
        '--rm',
        '--network=none',
        '--ulimit',
        'nofile=1024:1024',
        '--ulimit',
        'nproc=1024:1024',
        `${running.host}/${image}`,
        ...command,
      ),
  };
}
