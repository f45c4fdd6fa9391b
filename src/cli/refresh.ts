import type { Context } from './context.ts';
import { usage } from './option-value.ts';

/** In seconds: so long it is taken for granted that a registry holds what it held. */
const usual = 300;

/** How old may be what is known of a registry before it is asked again, in ms. Throws USAGE. */
export function refreshOf({ env }: Pick<Context, 'env'>): number {
  const text = env['STATIC_DISTRO_REFRESH'];
  if (!text) return usual * 1000;
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000;
  throw usage('$STATIC_DISTRO_REFRESH is no number of seconds', 'such as 0, to ask registries every time');
}
