import { resolve } from 'node:path';
import type { Command } from 'commander';
import { completeReference, parseReference, type Reference, refuseUser } from '../../../builder/reference.ts';
import { quote } from '../../package/name.ts';
import type { Context } from '../context.ts';
import { usage } from '../option-value.ts';

/** What every command that talks to registries takes, as commander gives it. */
export type RegistryOptions = {
  readonly insecure?: true;
  readonly authfile?: string;
  readonly certDir?: string;
  readonly verbose?: true;
};

/** Of those that move images as well. */
export type TransferArguments = RegistryOptions & {
  readonly chunk?: string;
  readonly json?: true;
  readonly quiet?: true;
};

export const addRegistryOptions = (command: Command): Command =>
  command
    .option('--insecure', 'plain http, or a certificate that nobody vouches for, will do')
    .option('--authfile <file>', 'look for credentials here and nowhere else')
    .option('--cert-dir <dir>', 'certificates as HOST[:PORT]/*.crt, in place of those of podman and docker')
    .option('--verbose', 'tell every request');

export const addTransferOptions = (command: Command): Command =>
  addRegistryOptions(command)
    .option('--chunk <size>', 'at most so much in one request, such as 4M')
    .option('--json', 'print what happens as lines of JSON')
    .option('-q, --quiet', 'no progress');

/** In a registry; completed as docker does it, but that the host has to be said. */
export type FarReference = Reference & { readonly host: string };

/** `HOST/NAME[:TAG][@DIGEST]`, with or without `docker://` before it. Throws INPUT, and USAGE without a host. */
export function readFar(text: string): FarReference {
  const url = text.startsWith('docker://');
  const reference = parseReference(url ? text.slice('docker://'.length) : text);
  if (reference.host === undefined && !url) {
    throw usage(
      `${quote(text)} names no registry`,
      `write HOST/NAME, such as localhost:5000/${reference.name} or docker.io/library/${reference.name}`,
    );
  }
  return completeReference(reference);
}

/** The host of a registry alone; `https://` before it and a slash behind it do no harm. Throws INPUT. */
export function readHost(text: string): string {
  refuseUser(text.includes('@') ? `${text}/` : text);
  const bare = text.replace(/^https?:\/\//, '').replace(/\/.*$/, '');
  const { host } = parseReference(`${bare}/name`);
  if (host !== undefined) return host;
  throw usage(`${quote(text)} is no host of a registry`, 'write HOST or HOST:PORT, such as docker.io');
}

const units: Readonly<Record<string, number>> = { '': 1, K: 1 << 10, M: 1 << 20, G: 1 << 30 };

export function readChunk(text: string): number {
  const [, digits = '', unit = ''] = /^([0-9]{1,9})([KMG]?)$/.exec(text) ?? [];
  const size = Number(digits) * (units[unit] ?? 0);
  if (size >= 1024) return size;
  throw usage(`--chunk ${quote(text)} is no size`, 'write such as 4M; at least 1K');
}

/** Paths of options are from where the user is. */
export const inDirectory = ({ cwd }: Context, path: string | undefined): string | undefined =>
  path === undefined ? undefined : resolve(cwd, path);
