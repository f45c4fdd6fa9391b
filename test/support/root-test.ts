import test, { type ExecutionContext } from 'ava';
import { isRoot } from './tools.ts';

type Body = (t: ExecutionContext) => void | Promise<void>;

const titled =
  (add: (title: string, body: Body) => void) =>
  (title: string, body: Body): void =>
    add(`${title} (needs root)`, body);

/** A test of what only root can do. As an ordinary user it is listed as skipped, with what it needs in its title. */
export const rootTest = titled(isRoot ? test : test.skip);

/** As `rootTest`, while no other test of the file runs. */
export const serialRootTest = titled(isRoot ? test.serial : test.serial.skip);
