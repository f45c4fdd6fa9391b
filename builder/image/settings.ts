import type { Annotations } from '../descriptor.ts';
import { Fault } from '../fault.ts';
import { quote } from '../json.ts';
import type { RunConfig } from '../manifest.ts';

/** How an image is run. What is left out has the default named with it, or none. */
export type Settings = {
  readonly entrypoint?: readonly string[];
  readonly cmd?: readonly string[];
  /** By name. `PATH` is `/bin` unless it is here. */
  readonly env?: Readonly<Record<string, string>>;
  /** `0`: a name or number, and behind a colon that of a group. */
  readonly user?: string;
  /** `/` */
  readonly workdir?: string;
  /** `80`, `80/tcp`, `53/udp` */
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly labels?: Annotations;
  /** `SIGTERM`, or a number */
  readonly stopSignal?: string;
};

/** Engines take no number above it for a user or group. */
const mostID = 2 ** 31 - 1;

/**
 * The settings as image-spec writes them, the same bytes for the same settings: environment, ports, volumes and
 * labels have no order. Throws INPUT, naming the setting, for what an engine could not use.
 */
export function runConfig(settings: Settings): RunConfig {
  const { entrypoint, cmd, user = '0', workdir = '/', stopSignal, labels, ports, volumes } = settings;
  for (const [field, words] of Object.entries({ entrypoint, cmd })) {
    for (const [at, word] of (words ?? []).entries()) {
      check([field, String(at)], 'command', word, /^[^\0]*$/, 'no zero byte');
    }
  }
  if (entrypoint?.[0] === '') check(['entrypoint', '0'], 'entrypoint', '', /./, 'a program');
  const checkUser = (pattern: RegExp, expected: string) => check(['user'], 'user', user, pattern, expected);
  checkUser(/^[^:\0/\s-][^:\0/\s]*(:[^:\0/\s-][^:\0/\s]*)?$/, 'USER or USER:GROUP');
  for (const name of user.split(':')) {
    if (/^\d+$/.test(name) && Number(name) > mostID) checkUser(/^$/, `numbers up to ${mostID}`);
  }
  check(['workdir'], 'workdir', workdir, /^\/[^\0]*$/, 'an absolute path');
  if (stopSignal !== undefined) {
    const pattern = /^(SIG[A-Z0-9]+([+-]\d+)?|\d{1,2})$/;
    check(['stopSignal'], 'stop signal', stopSignal, pattern, 'a name such as SIGTERM, or a number');
  }
  for (const [name, value] of Object.entries(labels ?? {})) {
    check(['labels', name], 'label', name, /^[^\0]+$/, 'a name');
    check(['labels', name], `label ${name}`, value, /^[^\0]*$/, 'no zero byte');
  }
  return {
    Cmd: cmd,
    Entrypoint: entrypoint,
    Env: environment(settings.env ?? {}),
    ExposedPorts: flags(ports?.map(portOf)),
    Labels: labels,
    StopSignal: stopSignal,
    User: user,
    Volumes: flags(volumes?.map(volumeOf)),
    WorkingDir: workdir,
  };
}

function environment(given: Readonly<Record<string, string>>): readonly string[] {
  const all = { PATH: '/bin', ...given };
  return Object.entries(all)
    .map(([name, value]) => {
      const field = ['env', name];
      check(field, 'environment', name, /^[^=\0]+$/, 'a name without =');
      return check(field, `environment ${name}`, `${name}=${value}`, /^[^\0]+$/, 'no zero byte');
    })
    .sort();
}

function portOf(text: string, at: number): string {
  const checkPort = (pattern: RegExp, expected: string) =>
    check(['ports', String(at)], 'port', text, pattern, expected);
  checkPort(/^\d{1,5}(\/(tcp|udp|sctp))?$/, 'a number, and behind a slash tcp, udp or sctp');
  const [number = '', protocol = 'tcp'] = text.split('/');
  if (Number(number) < 1 || Number(number) > 65535) checkPort(/^$/, 'a number from 1 to 65535');
  return `${Number(number)}/${protocol}`;
}

function volumeOf(path: string, at: number): string {
  const field = ['volumes', String(at)];
  check(field, 'volume', path, /^\/[^\0:]*$/, 'an absolute path');
  return check(field, 'volume', path, /[^/.]/, 'a path below the root, which is no volume itself');
}

const flags = (names: readonly string[] | undefined) =>
  names && Object.fromEntries(names.map((name) => [name, {} as Readonly<Record<string, never>>]));

function check(
  field: readonly string[],
  what: string,
  text: string,
  pattern: RegExp,
  expected: string,
): string {
  if (pattern.test(text)) return text;
  throw new Fault('INPUT', `${what}: ${quote(text)} cannot be used`, {
    hint: `expected: ${expected}`,
    field,
  });
}
