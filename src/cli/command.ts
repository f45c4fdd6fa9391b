import { Command, CommanderError } from 'commander';
import { Fault } from '../../builder/fault.ts';
import { type Context, print } from './context.ts';
import { versionLine } from './version.ts';

/** A commander program in our ways: `--help` with an example, `--version`, and errors that are Faults. */
export function makeCommand(context: Context, summary: string, examples: string): Command {
  return new Command(context.tool)
    .description(summary)
    .helpOption('-h, --help', 'show this help')
    .option('--version', 'show the version')
    .addHelpText('after', `\nExamples:\n${examples.trim().replaceAll(/^/gm, '  ')}`)
    .on('option:version', () => {
      print(versionLine(context));
      throw new CommanderError(0, 'commander.version', '');
    })
    .showSuggestionAfterError()
    .exitOverride()
    .configureOutput({ writeOut: print, writeErr: () => undefined });
}

/** False if the user only wanted help or the version, which is printed then. Throws USAGE. */
export function parseCommand(command: Command, args: readonly string[]): boolean {
  try {
    command.parse(args, { from: 'user' });
    return true;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return false;
    const [message = '', ...rest] = error.message.replace(/^error: /, '').split('\n');
    const suggestion = rest.join(' ').replaceAll(/[()]/g, '').trim();
    throw new Fault('USAGE', message.replaceAll(/[^\x20-\x7e]/g, '?'), {
      hint: `${suggestion ? `${suggestion} ` : ''}${command.name()} --help shows the options`,
    });
  }
}
