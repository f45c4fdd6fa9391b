/** Why something could not be done. The command line maps each code to an exit status. */
export type FaultCode =
  | 'USAGE' // the command line is wrong
  | 'INPUT' // a file given to us is malformed
  | 'UNSATISFIABLE' // no set of packages meets the request
  | 'NOT_FOUND' // a named thing does not exist
  | 'INTEGRITY' // bytes differ from what was promised
  | 'UNSAFE' // refused because it would be dangerous
  | 'SANDBOX' // the helper cannot make the root
  | 'BUILD' // a recipe's script failed or its output is not acceptable
  | 'NETWORK' // a remote side did not answer as it should
  | 'BUSY' // somebody else holds it
  | 'IO'; // the operating system said no

export type FaultOptions = {
  readonly hint?: string;
  readonly cause?: unknown;
  readonly field?: readonly string[];
};

const brand = Symbol.for('static-distro.fault');

/**
 * The one error type for what a user can be told. `message` is one line that names the file, package or
 * option; `hint` is one line that says what to do; `field` is the part of a description that is wrong, such as
 * `ports`, `0`, for whoever knows where that was written. Anything else that is thrown is a bug.
 */
export class Fault extends Error {
  readonly code: FaultCode;
  readonly hint: string | undefined;
  readonly field: readonly string[] | undefined;
  readonly [brand] = true;

  /** A tool may be made of several bundles, each with a class of its own. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    // Classes made of this one are told apart as usual.
    if (this !== Fault) return Function.prototype[Symbol.hasInstance].call(this, value);
    return value instanceof Error && brand in value;
  }

  constructor(code: FaultCode, message: string, options: FaultOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'Fault';
    this.code = code;
    this.hint = options.hint;
    this.field = options.field;
  }
}

/** Turns a Node system error into a Fault that names the path; anything else is returned as it is. */
export function asFault(error: unknown, doing: string): unknown {
  if (error instanceof Fault || !(error instanceof Error) || !('code' in error)) return error;
  const code = error.code === 'ENOENT' ? 'NOT_FOUND' : 'IO';
  return new Fault(code, `${doing}: ${reason(error)}`, { cause: error });
}

/** "no such file or directory (ENOENT)" out of Node's "ENOENT: no such file or directory, open '…'". */
function reason(error: Error & { code: unknown }): string {
  const text = /^[A-Z0-9]+: ([^,]+)/.exec(error.message)?.[1] ?? error.message;
  return `${text} (${String(error.code)})`;
}

/** The same Fault, of a field of a description, unless it is one already; anything else is returned as it is. */
export function withField(error: unknown, field: readonly string[]): unknown {
  if (!(error instanceof Fault) || error.field) return error;
  const { code, message, hint, cause } = error;
  return new Fault(code, message, { ...(hint !== undefined && { hint }), cause, field });
}
