import { formatReference } from '../../../builder/reference.ts';
import { Fault } from '../../../builder/fault.ts';
import { quote } from '../../package/name.ts';
import { makeCommand, parseCommand } from '../command.ts';
import type { Context } from '../context.ts';
import { readName, withStore } from './store.ts';

const examples = `
pkgimage remove tiny:old
`;

/** Takes names away; what they led to is collected later. Every name is tried. */
export async function main(context: Context): Promise<number> {
  const command = makeCommand(
    context,
    'Remove images from the store. The space is free after pkgimage gc, a day later.',
    examples,
  ).argument('<name...>', 'images: NAME or NAME:TAG');
  if (!parseCommand(command, context.args)) return 0;
  const names = [...new Set(command.args.map((text) => formatReference(readName(text))))];
  const missing = await withStore(context, async (store) => {
    const without: string[] = [];
    for (const name of names) if (!(await store.untag(name))) without.push(name);
    return without;
  });
  if (missing.length === 0) return 0;
  throw new Fault('NOT_FOUND', `there is no image ${missing.map(quote).join(', ')}`, {
    hint: 'pkgimage list shows those that there are',
  });
}
