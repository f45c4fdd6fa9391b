import { execFile } from 'node:child_process';
import {
  chownSync,
  closeSync,
  constants,
  fstatSync,
  openSync,
  readSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { asFault, Fault } from '../../builder/fault.ts';
import { quote } from '../package/name.ts';
import type { Call } from '../run/command.ts';
import { workPath } from './variables.ts';

const run = promisify(execFile);

/** In the work directory while `build.sh` runs. */
export const jobsFile = '.jobs';

/** A build's part of the pool while it runs. */
export type Seat = { leave(): void };

/**
 * The processes that may compile at once, shared by all builds that run. Each build has a job server of its own, as
 * GNU make knows it: a fifo in its work directory with a byte for every process beside the one that any make may
 * run. Bytes that nobody has taken, because a build configures or links, go to builds that have none left; a build
 * that is killed with bytes in its hands takes nothing from the others, and one that makes bytes up only cheats
 * itself.
 */
export class JobPool {
  readonly #total: number;
  readonly #places = new Map<Seat, Place>();
  #ticking: NodeJS.Timeout | undefined;

  constructor(total: number) {
    this.#total = total;
  }

  /** Throws NOT_FOUND if the machine has no `mkfifo`. */
  async enter(work: string): Promise<Seat> {
    const place = await makePlace(work);
    const seat = {
      leave: (): void => {
        if (!this.#places.delete(seat)) return;
        closeSync(place.descriptor);
        rmSync(place.path, { force: true });
        this.#share();
      },
    };
    this.#places.set(seat, place);
    this.#share();
    this.#ticking ??= setInterval(() => this.#share(), pause);
    return seat;
  }

  /** Gives what nobody uses to those who have none left, evenly; a first one to each before a second to any. */
  #share(): void {
    if (this.#places.size === 0) {
      clearInterval(this.#ticking);
      this.#ticking = undefined;
      return;
    }
    const places = [...this.#places.values()];
    const hungry = places.filter((place) => take(place) === 0);
    const given = places.reduce((sum, place) => sum + place.given, 0);
    let free = this.#total - places.length - given;
    for (const eaters of [hungry, places]) {
      for (; free > 0 && eaters.length > 0; free -= 1) {
        give(eaters.reduce((least, place) => (place.given < least.given ? place : least)));
      }
    }
  }
}

/** The descriptor by which a script has its job server, one that no shell uses for itself. */
const descriptor = 9;

/** A call of a script that is seated: any make in it shares the build's processes, without a word in the recipe. */
export function seated(call: Call): Call {
  const [shell = '/bin/sh', ...script] = call.command;
  const open = `exec "$@" ${descriptor}<>${workPath}/${jobsFile}`;
  const flags = ` -j --jobserver-auth=${descriptor},${descriptor}`;
  return {
    ...call,
    environment: { ...call.environment, MAKEFLAGS: flags, MAKE_JOBS: '' },
    command: [shell, '-c', open, shell, shell, ...script],
  };
}

/** Between two looks at who uses what, in ms. */
const pause = 100;

/** `given`: how many bytes are in the fifo or in the hands of the build. */
type Place = { readonly descriptor: number; readonly path: string; given: number };

const { O_NOFOLLOW, O_NONBLOCK, O_RDWR } = constants;

async function makePlace(work: string): Promise<Place> {
  const path = join(work, jobsFile);
  rmSync(path, { recursive: true, force: true });
  try {
    await run('mkfifo', ['-m', '600', path]);
    if (process.geteuid?.() === 0) {
      const { uid, gid } = statSync(work);
      chownSync(path, uid, gid);
    }
    const descriptor = openSync(path, O_RDWR | O_NOFOLLOW | O_NONBLOCK);
    if (fstatSync(descriptor).isFIFO()) return { descriptor, path, given: 0 };
    closeSync(descriptor);
  } catch (error) {
    throw asFault(error, `cannot make the job server ${quote(path)}`);
  }
  throw new Fault('UNSAFE', `${quote(path)} was replaced while it was made`);
}

/** Takes out what is in the fifo, and gives how much that was. */
function take(place: Place): number {
  const bytes = Buffer.alloc(Math.max(1, place.given));
  try {
    const found = readSync(place.descriptor, bytes);
    place.given -= found;
    return found;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return 0;
    throw error;
  }
}

function give(place: Place): void {
  writeSync(place.descriptor, '+');
  place.given += 1;
}
