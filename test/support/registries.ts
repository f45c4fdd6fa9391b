/** Real registries on loopback, each with a directory of its own, stopped by whoever started them. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { ExecutionContext } from 'ava';
import { type Certificate, makeCertificate } from './certificate.ts';
import { goProgram } from './go-programs.ts';
import { startTokenServer, type TokenServer } from './token-server.ts';
import { root } from './tools.ts';

export type RegistryKind = 'docker-registry' | 'distribution' | 'crane';

export type RegistryOptions = {
  readonly auth?: 'basic' | 'token';
  readonly tls?: boolean;
  /** More settings, as the registry's environment variables. */
  readonly settings?: Readonly<Record<string, string>>;
  /** A directory of data that is there already, and stays. */
  readonly data?: string;
};

export type RunningRegistry = {
  /** `127.0.0.1:PORT`. */
  readonly host: string;
  readonly directory: string;
  /** A directory as docker's certs.d, with the registry's certificate. */
  readonly certificates: string;
  readonly tokens: TokenServer | undefined;
  /** `METHOD PATH STATUS` of each request since the last call, by the registry's own log. */
  requests(): Promise<string[]>;
  /** May be called again. */
  stop(): Promise<void>;
};

const configurations = join(root, 'registry-fixtures/registries');

export async function startRegistry(
  kind: RegistryKind,
  options: RegistryOptions = {},
): Promise<RunningRegistry> {
  const home = mkdtempSync(join(tmpdir(), `static-distro-${kind}-`));
  const directory = options.data ?? join(home, 'data');
  mkdirSync(directory, { recursive: true });
  const certificate = options.tls || options.auth === 'token' ? makeCertificate(home) : undefined;
  const tokens =
    options.auth === 'token' && certificate
      ? await startTokenServer(certificate, options.tls ?? false)
      : undefined;
  const env = {
    ...process.env,
    ...environment(directory, options, certificate, tokens),
    ...options.settings,
  };
  const args =
    kind === 'crane'
      ? ['registry', 'serve', '--address', '127.0.0.1:0', '--disk', directory]
      : ['serve', join(configurations, `${options.auth ?? 'open'}.yml`)];
  const program = kind === 'docker-registry' ? kind : goProgram(kind === 'crane' ? 'crane' : 'registry');
  const child = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const log = follow(child);
  const port = await log.find(
    kind === 'crane' ? /serving on port (\d+)/ : /listening on 127\.0\.0\.1:(\d+)/,
    program,
  );
  const host = `127.0.0.1:${port}`;
  const certificates = join(home, 'certs.d');
  for (const place of [host, ...(tokens ? [new URL(tokens.url).host] : [])]) {
    mkdirSync(join(certificates, place), { recursive: true });
    if (certificate && options.tls) copyFileSync(certificate.cert, join(certificates, place, 'ca.crt'));
  }
  const end = async () => {
    tokens?.stop();
    const ended = once(child, 'close');
    if (child.exitCode === null) child.kill('SIGKILL');
    await ended;
    rmSync(home, { recursive: true, force: true, maxRetries: 3 });
  };
  let stopped: Promise<void> | undefined;
  return {
    host,
    directory,
    certificates,
    tokens,
    requests: log.requests,
    stop: () => (stopped ??= end()),
  };
}

/** One for a test, which may stop it before its end. */
export async function registryFor(
  t: ExecutionContext,
  kind: RegistryKind = 'docker-registry',
  options: RegistryOptions = {},
): Promise<RunningRegistry> {
  const running = await startRegistry(kind, options);
  t.teardown(running.stop);
  return running;
}

const environment = (
  directory: string,
  { auth, tls }: RegistryOptions,
  certificate: Certificate | undefined,
  tokens: TokenServer | undefined,
): Record<string, string> => ({
  OTEL_TRACES_EXPORTER: 'none',
  REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY: directory,
  ...(auth === 'basic' && { REGISTRY_AUTH_HTPASSWD_PATH: join(configurations, 'htpasswd') }),
  ...(tokens &&
    certificate && {
      REGISTRY_AUTH_TOKEN_REALM: tokens.url,
      REGISTRY_AUTH_TOKEN_ROOTCERTBUNDLE: certificate.cert,
    }),
  ...(tls &&
    certificate && {
      REGISTRY_HTTP_TLS_CERTIFICATE: certificate.cert,
      REGISTRY_HTTP_TLS_KEY: certificate.key,
    }),
});

function follow(child: ChildProcess) {
  let text = '';
  let read = 0;
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  }
  let missing: Error | undefined;
  child.on('error', (error) => (missing = error));
  return {
    async find(pattern: RegExp, program: string): Promise<string> {
      for (let tries = 0; tries < 600; tries++) {
        const found = pattern.exec(text)?.[1];
        if (found !== undefined) return found;
        if (missing || child.exitCode !== null) break;
        await setTimeout(50);
      }
      throw new Error(`needs ${program}, which does not start: ${missing?.message ?? text}`);
    },
    async requests(): Promise<string[]> {
      // The registry writes its log after it has answered.
      for (let before = -1; before !== text.length; await setTimeout(100)) before = text.length;
      const fresh = text.slice(read);
      read = text.length;
      return [...fresh.matchAll(/"([A-Z]+) (\/v2\/\S*) HTTP\/1\.1" (\d+)/g)].map((match) =>
        match.slice(1).join(' '),
      );
    },
  };
}
