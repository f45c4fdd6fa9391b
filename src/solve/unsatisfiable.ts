import { Fault } from '../../builder/fault.ts';
import type { Fact } from './core.ts';

/** There is no answer. `core` is why: facts that cannot be true together, none of which can be left out. */
export class Unsatisfiable extends Fault {
  readonly core: readonly Fact[];
  /** Which wishes, by position in the request, name nothing that exists. */
  readonly unknown: readonly number[];

  constructor(message: string, hint: string | undefined, core: readonly Fact[], unknown: readonly number[]) {
    super('UNSATISFIABLE', message, hint === undefined ? {} : { hint });
    this.core = core;
    this.unknown = unknown;
  }
}
