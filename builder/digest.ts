import { createHash, hash } from 'node:crypto';
import { Fault } from './fault.ts';

/** The name of some bytes: `sha256:` and 64 lower case hex digits (image-spec, descriptor.md, "Digests"). */
export type Digest = `sha256:${string}`;

/** What identifies a blob and lets its length be checked before it is read. `size` in bytes. */
export type Sized = { readonly digest: Digest; readonly size: number };

export const isDigest = (text: string): text is Digest => /^sha256:[0-9a-f]{64}$/.test(text);

/** Throws INPUT, naming `where`, unless `text` is a SHA-256 digest; no other algorithm is accepted. */
export function checkDigest(text: string, where: string): Digest {
  if (isDigest(text)) return text;
  throw new Fault('INPUT', `${where}: ${JSON.stringify(text)} is no sha256 digest`, {
    hint: 'a digest is sha256: followed by 64 hex digits in lower case',
  });
}

/** The 64 hex digits, which are the blob's file name in an OCI layout. */
export const hexOf = (digest: Digest): string => digest.slice('sha256:'.length);

/** Of the bytes, or of the UTF-8 of a string. */
export const digestOf = (bytes: Uint8Array | string): Digest => `sha256:${hash('sha256', bytes, 'hex')}`;

/** Takes bytes as they pass and tells their digest and number at the end, which is once. */
export type Digester = { update(chunk: Uint8Array): void; finish(): Sized };

export function digester(): Digester {
  const hasher = createHash('sha256');
  let size = 0;
  return {
    update(chunk) {
      hasher.update(chunk);
      size += chunk.length;
    },
    finish: () => ({ digest: `sha256:${hasher.digest('hex')}`, size }),
  };
}
