import type { Context } from './context.ts';
export function main(context: Context): number { return context.args.length; }
