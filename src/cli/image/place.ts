import { resolve } from 'node:path';
import type { EnginePlace, FilePlace, RootfsPlace } from '../../../builder/image/transport.ts';
import { parsePlace } from '../../../builder/image/transport.ts';
import type { TransferOptions } from '../../../builder/image/export.ts';
import type { Reference } from '../../../builder/reference.ts';
import { quote } from '../../package/name.ts';
import type { Context } from '../context.ts';
import { usage } from '../option-value.ts';
import { readPlatform } from './platform.ts';
import { lockProgramOf } from './store.ts';

/** Where images go that leave the store. */
export type OtherPlace = FilePlace | RootfsPlace | EnginePlace;

export type StorePlace = { readonly transport: 'store'; readonly reference: Reference };

/** In a registry. */
export type FarPlace = { readonly transport: 'docker'; readonly reference: Reference };

/** A place as the user wrote it, with paths from where they are. Throws INPUT. */
export function readPlace(text: string, { cwd }: Context): OtherPlace | StorePlace | FarPlace {
  const place = parsePlace(text);
  switch (place.transport) {
    case 'oci':
    case 'oci-archive':
    case 'docker-archive':
    case 'rootfs':
      return { ...place, path: resolve(cwd, place.path) };
    case 'docker':
      return { transport: 'docker', reference: place.reference };
    case 'store':
      return { transport: 'store', reference: place.reference };
    default:
      return place;
  }
}

/** The same, but neither in our own store nor in a registry. */
export function readOtherPlace(text: string, context: Context): OtherPlace {
  const place = readPlace(text, context);
  if (place.transport === 'docker') {
    throw usage(
      `${quote(text)} is in a registry`,
      'pkgimage push takes an image there, pkgimage pull from there',
    );
  }
  if (place.transport !== 'store') return place;
  throw usage(
    `${quote(text)} says no kind of place`,
    'write oci:DIR, oci-archive:FILE, docker-archive:FILE, rootfs:FILE, docker-daemon:NAME, ' +
      'containers-storage:NAME or containerd:NAME',
  );
}

export type EngineOption = { readonly engine?: string; readonly platform?: string };

/** For an engine that is reached in another way than usual. */
export const engineOption = [
  '--engine <command>',
  "what runs the engine's program, such as 'docker -H unix:///run/other.sock'",
] as const;

export const platformOption = [
  '--platform <platform>',
  "only the image for OS/ARCH[/VARIANT], such as linux/arm64 (default: this machine's, where only one is taken)",
] as const;

export function transferOptions(context: Context, { engine, platform }: EngineOption): TransferOptions {
  const words = engine?.split(' ').filter((word) => word !== '');
  if (words?.length === 0) throw usage('--engine names no program', "write --engine 'docker -H HOST'");
  return {
    lockProgram: lockProgramOf(context),
    ...(platform !== undefined && { platform: readPlatform(platform) }),
    ...(words && {
      commands: { 'docker-daemon': words, 'containers-storage': words, containerd: words },
    }),
  };
}
