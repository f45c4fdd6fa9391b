import { advice } from '../../builder/advice.ts';

/** How what a hint of the library advises is done here; what it speaks of is put in for `*`. */
const means: Readonly<Record<keyof typeof advice, string>> = {
  plainHttp: '--insecure, or STATIC_DISTRO_INSECURE=*',
  login: 'pkgimage login *',
  noUser: 'pkgimage login HOST',
  takePackages: '-d registry:HOST/NAME',
};

/** The hint, with the option or the command of ours behind it where there is one. */
export function advise(hint: string): string {
  for (const name of Object.keys(means) as (keyof typeof advice)[]) {
    const [before = '', behind] = advice[name]('*').split('*');
    const at = hint.indexOf(before);
    if (at < 0 || (behind !== undefined && !hint.includes(behind, at))) continue;
    const end = behind === undefined ? undefined : hint.indexOf(behind, at);
    return `${hint}: ${means[name].replace('*', () => hint.slice(at + before.length, end))}`;
  }
  return hint;
}
