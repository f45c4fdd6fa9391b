import type { Buffer } from 'node:buffer';

/** Where the bytes of a file are: in memory, or in a file that is opened (never through a link) when written. */
export type Body = Uint8Array | { readonly file: string | Buffer };

export type Owner = { readonly uid: number; readonly gid: number };

/** What every entry has. `path` has no slash at its ends; `mode` is permission bits only, set-id included. */
export type Attributes = Owner & { readonly path: Buffer; readonly mode: number };

/** What the header of an entry says. `size` in bytes; the target of a link is an earlier path of the archive. */
export type Header = Attributes &
  (
    | { readonly type: 'directory' }
    | { readonly type: 'file'; readonly size: number }
    | { readonly type: 'symlink' | 'link'; readonly target: Buffer }
  );

/** One entry of a layer: its header, and the body of a file. The time is not in it, as it is a constant. */
export type Entry =
  Exclude<Header, { type: 'file' }> | (Extract<Header, { type: 'file' }> & { readonly body: Body });
