import { dirname } from 'node:path';
import { type Context, places } from './context.ts';
import { report } from './report.ts';

type Tool = { main(context: Context): number | Promise<number> };

/** Looked up before anything else is loaded, so that a tool pays for nothing but itself. */
const tools: Record<string, () => Promise<Tool>> = {
  pkgbuild: () => import('./pkgbuild.ts'),
  pkgcontrol: () => import('./pkgcontrol.ts'),
  pkgfetch: () => import('./pkgfetch.ts'),
  pkgsolve: () => import('./pkgsolve.ts'),
  pkgvercmp: () => import('./pkgvercmp.ts'),
  withenv: () => import('./withenv.ts'),
  withpkgs: () => import('./withpkgs.ts'),
};

const [, program = '', tool = '', ...args] = process.argv;
try {
  const load = Object.hasOwn(tools, tool) ? tools[tool] : undefined;
  if (!load) throw new Error(`no tool is called ${JSON.stringify(tool)}`);
  const { main } = await load();
  process.exitCode = await main({
    tool,
    args,
    env: process.env,
    cwd: process.cwd(),
    places: places(dirname(dirname(program)), process.env),
    // Asked for late: it loads Node's streams, and leaves a pipe non-blocking for the program that comes after.
    get terminal() {
      return process.stderr.isTTY;
    },
  });
} catch (error) {
  process.exitCode = report(tool, error);
}
