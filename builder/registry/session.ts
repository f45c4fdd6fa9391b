import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Descriptor } from '../descriptor.ts';
import { asFault } from '../fault.ts';
import { labelOf, type Place } from './place.ts';

/** An upload that the registry knows of: where its next bytes go, and how many it has confirmed. */
export type Session = { readonly location: URL; readonly offset: number };

/**
 * Uploads that outlive a process, each a small file in a directory that belongs to the user alone: a location
 * may hold a secret. The name of a file tells whose it is; that of a process that has ended can be taken over,
 * by one only, because a rename succeeds once.
 */
export type Sessions = {
  /** An upload of the same blob to the same place that nobody goes on with. */
  take(place: Place, descriptor: Descriptor): Promise<Session | undefined>;
  save(place: Place, descriptor: Descriptor, session: Session): Promise<void>;
  /** There is nothing to go on with any more, for nobody: the registry has the blob. */
  forget(place: Place, descriptor: Descriptor): Promise<void>;
};

/** Registries forget uploads too, most of them within a week; in ms. */
const oldest = 7 * 24 * 3600_000;

const keyOf = (place: Place, { digest }: Descriptor): string =>
  createHash('sha256')
    .update(`${labelOf(place)}\n${digest}`)
    .digest('hex')
    .slice(0, 32);

export function openSessions(directory: string): Sessions {
  const pathOf = (place: Place, descriptor: Descriptor) =>
    join(directory, `${keyOf(place, descriptor)}.${process.pid}.json`);
  return {
    async take(place, descriptor) {
      const mine = pathOf(place, descriptor);
      for (const { name, pid } of await listed(directory, keyOf(place, descriptor))) {
        if (isAlive(pid)) continue;
        try {
          await rename(join(directory, name), mine);
          const session = parse(await readFile(mine, 'utf8'));
          if (session) return session;
        } catch {
          // Somebody else was faster, or it cannot be read: then it is no help.
        }
      }
      return undefined;
    },

    async save(place, descriptor, { location, offset }) {
      const path = pathOf(place, descriptor);
      const text = JSON.stringify({ location: location.href, offset, saved: Date.now() });
      try {
        await mkdir(directory, { recursive: true, mode: 0o700 });
        await writeFile(`${path}.new`, text, { mode: 0o600 });
        await rename(`${path}.new`, path);
      } catch (error) {
        throw asFault(error, `remembering an upload in ${directory}`);
      }
    },

    async forget(place, descriptor) {
      const mine = pathOf(place, descriptor);
      for (const { name, pid } of await listed(directory, keyOf(place, descriptor))) {
        const path = join(directory, name);
        if (path === mine || !isAlive(pid)) await unlink(path).catch(() => undefined);
      }
    },
  };
}

async function listed(
  directory: string,
  key: string,
): Promise<readonly { readonly name: string; readonly pid: number }[]> {
  const names = await readdir(directory).catch(() => []);
  return names.flatMap((name) => {
    const [start, pid, end] = name.split('.');
    return start === key && end === 'json' ? [{ name, pid: Number(pid) }] : [];
  });
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function parse(text: string): Session | undefined {
  const { location, offset, saved } = JSON.parse(text) as Record<string, unknown>;
  if (typeof location !== 'string' || typeof offset !== 'number' || typeof saved !== 'number')
    return undefined;
  const url = URL.parse(location);
  return url && saved > Date.now() - oldest ? { location: url, offset } : undefined;
}
