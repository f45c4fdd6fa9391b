import { Fault } from '../../builder/fault.ts';
import { quote } from '../package/name.ts';

/** `-m NAME:DIR[:ro|rw]`: a directory that the command sees at `/mnt/NAME`. */
export type MountArgument = {
  readonly name: string;
  readonly directory: string;
  readonly writable: boolean;
};

/** How each option that has a value is written. */
export const example: Readonly<Record<string, string>> = {
  '-d': '-d DIR',
  '-w': '-w DIR',
  '-c': '-c DIR',
  '-m': '-m NAME:DIR',
  '--setenv': '--setenv NAME=VALUE',
  '--keepenv': '--keepenv NAME',
  '--tmp-size': '--tmp-size 512M',
};

export const isOption = (word: string): boolean => word.startsWith('-') && word !== '-';

/** A file name may begin with a hyphen; one that is given as such is far more often a forgotten value. */
export function readPath(option: string, value: string): string {
  if (value === '') throw usage(`${option} is given an empty name`, `write ${example[option] ?? option}`);
  if (isOption(value)) {
    throw usage(
      `${option} is followed by ${quote(value)}`,
      `write ${example[option] ?? option}; for a name that begins with a hyphen ./-NAME`,
    );
  }
  return value;
}

const mountName = /^[0-9A-Za-z_][0-9A-Za-z_.+-]{0,63}$/;

/** Only a final `:ro` or `:rw` is the mode, so that directories may have colons. */
export function readMount(value: string, others: readonly MountArgument[]): MountArgument {
  const [, name = '', directory = '', mode] = /^([^:]*):(.*?)(?::(ro|rw))?$/s.exec(value) ?? [];
  if (directory === '') {
    throw usage(`-m ${quote(value)} is no mount`, 'write -m NAME:DIR, or -m NAME:DIR:rw to write to it');
  }
  if (!mountName.test(name)) {
    throw usage(
      `-m ${quote(value)}: ${quote(name)} is no name below /mnt`,
      'a name is of letters, digits and _ . + -',
    );
  }
  if (others.some((other) => other.name === name))
    throw usage(`-m names ${name} twice`, 'give each its own name');
  return { name, directory, writable: mode === 'rw' };
}

export function readSetting(value: string): readonly [string, string] {
  const equals = value.indexOf('=');
  if (equals < 1) throw usage(`--setenv ${quote(value)} sets nothing`, 'write --setenv NAME=VALUE');
  return [value.slice(0, equals), value.slice(equals + 1)];
}

export function readVariable(option: string, value: string): string {
  if (value !== '' && !value.includes('=')) return value;
  throw usage(`${option} ${quote(value)} is no name of a variable`, `write ${example[option] ?? option}`);
}

const units: Readonly<Record<string, number>> = { '': 1, K: 1024, M: 1024 ** 2, G: 1024 ** 3 };

export function readSize(value: string): number {
  const [, digits = '', unit = ''] = /^([0-9]+)([KMG]?)$/.exec(value) ?? [];
  const size = Number(digits) * (units[unit] ?? Number.NaN);
  if (digits !== '' && Number.isSafeInteger(size) && size > 0) return size;
  throw usage(`--tmp-size ${quote(value)} is no size`, 'write a number of bytes, or such as 512M or 2G');
}

export const usage = (message: string, hint: string): Fault => new Fault('USAGE', message, { hint });
