import { dirname } from 'node:path';
import { Fault } from '../../builder/fault.ts';
import { type Context, places } from './context.ts';
import { asksForJson, report } from './report.ts';

export type Tool = { main(context: Context): number | Promise<number> };

/** Runs the tool that the second argument names; `find` gives what is loaded for it. */
export async function start(find: (tool: string) => Tool | Promise<Tool> | undefined): Promise<void> {
  const [, program = '', tool = '', ...args] = process.argv;
  try {
    const found = await find(tool);
    if (!found) throw new Error(`no tool is called ${JSON.stringify(tool)}`);
    process.exitCode = await found.main({
      tool,
      args,
      env: process.env,
      cwd: currentDirectory(),
      places: places(dirname(dirname(program)), process.env),
      // Asked for late: it loads Node's streams, and leaves a pipe non-blocking for the program that comes after.
      get terminal() {
        return process.stderr.isTTY;
      },
    });
  } catch (error) {
    process.exitCode = report(tool, error, asksForJson(tool, args));
  }
}

function currentDirectory(): string {
  try {
    return process.cwd();
  } catch (error) {
    throw new Fault('NOT_FOUND', 'the current directory has been removed', {
      cause: error,
      hint: 'change to another one',
    });
  }
}
