import { hasChildren } from '../../../builder/manifest.ts';
import type { RegistryEvent } from '../../../builder/registry/settings.ts';
import type { CopyEvent } from '../../../builder/store/copy.ts';
import { quote } from '../../package/name.ts';
import { complain, type Context, print } from '../context.ts';
import { bars, doneLine, note, type Transfers } from './transfers.ts';

/** Tells the user how images move: bars on a terminal, lines elsewhere, or lines of JSON on stdout. */
export type TransferReport = {
  copied(event: CopyEvent): void;
  happened(event: RegistryEvent): void;
  /** The result, on stdout: the digest alone, or as JSON. Everything drawn is gone then. */
  done(result: {
    readonly digest: string;
    readonly reference: string;
    readonly tags?: readonly string[];
  }): void;
  /** Takes away what is drawn; to be called whatever happens. */
  end(): void;
};

export type ReportOptions = {
  readonly json?: true;
  readonly quiet?: true;
  readonly verbose?: true;
};

/** In ms between two drawings, and between two events about the same bytes. */
const pause = 100;

/** `moved` says where bytes go: `sent` or `fetched`. */
export function makeTransferReport(
  context: Context,
  { json, quiet, verbose }: ReportOptions,
  moved: 'sent' | 'fetched' | 'copied',
): TransferReport {
  const transfers: Transfers = new Map();
  /** Asked late: a call that moves nothing needs no terminal. */
  const drawing = (): boolean =>
    !json && !quiet && !verbose && context.env['TERM'] !== 'dumb' && context.terminal;
  const dim = context.env['NO_COLOR'] ? ['', ''] : ['\x1b[2m', '\x1b[22m'];
  const toldAt = new Map<string, number>();
  let drawn = 0;
  let last = 0;

  const erase = (): void => {
    if (drawn > 0) complain(`\r\x1b[${drawn}A\x1b[J`);
    drawn = 0;
  };
  const draw = (): void => {
    if (Date.now() - last < pause) return;
    last = Date.now();
    const lines = bars(transfers, process.stderr.columns || 80, process.stderr.rows || 24);
    erase();
    complain(lines.map((line) => `${dim[0]}${line}${dim[1]}\n`).join(''));
    drawn = lines.length;
  };
  const line = (text: string): void => {
    erase();
    complain(`${text}\n`);
  };

  const tellCopied = (event: CopyEvent): void => {
    const { digest, size, mediaType } = event.descriptor;
    const { bytes, end } = note(transfers, event);
    if (event.type === 'begin') tell({ event: 'begin', digest, size, mediaType, from: event.from });
    else if (event.type !== 'bytes') tell({ event: end, digest, size, mediaType });
    else if (Date.now() - (toldAt.get(digest) ?? 0) >= pause) {
      toldAt.set(digest, Date.now());
      tell({ event: 'progress', digest, size, bytes });
    }
  };

  return {
    copied(event) {
      if (json) return tellCopied(event);
      const transfer = note(transfers, event);
      // What happens to documents is of no interest to who waits for layers.
      if (quiet || hasChildren(event.descriptor)) return;
      if (drawing()) draw();
      else if (transfer.end !== undefined) line(doneLine(transfer, moved));
    },
    happened(event) {
      if (event.type === 'answer') {
        const { method, url, status, milliseconds } = event;
        if (json && verbose) tell({ event: 'request', method, url, status, milliseconds });
        else if (verbose) line(`${method} ${quote(url)} ${status}, ${milliseconds.toFixed(0)} ms`);
      } else if (json) tell(eventOf(event));
      else if (event.type === 'wait') {
        const seconds = (event.milliseconds / 1000).toFixed(1);
        if (!quiet) line(`${event.host}: ${event.reason}: trying again in ${seconds} s`);
      } else if (event.type === 'silence') {
        if (!quiet) line(`waiting for ${event.host} to answer`);
      } else if (event.type === 'warning') {
        line(`${context.tool}: warning: ${event.host}: ${event.text}`);
      } else if (!quiet && verbose) line(`${event.host}: limit of requests: ${event.text} left`);
    },
    done(result) {
      erase();
      if (json) tell({ event: 'done', ...result });
      else print(`${result.digest}\n`);
    },
    end: erase,
  };
}

const tell = (event: object): void => print(`${JSON.stringify(event)}\n`);

const eventOf = ({ type, ...others }: Exclude<RegistryEvent, { type: 'answer' }>): object => ({
  event: type,
  ...others,
});
