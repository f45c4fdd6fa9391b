import { giveBack } from '../block.ts';
import { Fault } from '../fault.ts';
import { framingOf, type Framing } from './http-body.ts';
import { endOfHead, type Head, notHttp, parseHead } from './http-head.ts';
import { Inbox } from './inbox.ts';
import { networkFault, silence } from './network-fault.ts';
import { type Answer, answerTime, type Body, type Patience, type Request } from './request.ts';
import type { Trust } from './trust.ts';
import { broken, type Pool, type Wire } from './wire.ts';

/** Bodies up to this size go together with the head, in bytes. */
const small = 1 << 16;

/** How far the sending of a body has got. */
type Sending = { starved: boolean; over: boolean; answered: boolean; wake: (() => void) | undefined };

/**
 * One request and the beginning of its answer (HTTP/1.1), straight to the server. Throws NETWORK if no answer came,
 * and what `body.read` throws. An answer may come before the body has been sent; the rest of it is then not sent,
 * nor the connection used again.
 */
export function exchangeDirectly(
  pool: Pool,
  trust: Trust,
  patience: Patience,
  ask: Request,
): Promise<Answer> {
  const { about, method, url, body } = ask;
  const head = headOf(ask);
  const wire = pool.take(url, trust);
  const { socket } = wire;
  return new Promise((resolve, reject) => {
    const sending: Sending = { starved: false, over: !body, answered: false, wake: undefined };
    const wake = () => {
      sending.wake?.();
      sending.wake = undefined;
    };
    let quiet = 0;
    let reached = false;
    const listen = (milliseconds: number) => socket.setTimeout((quiet = milliseconds));
    const connected = () => {
      reached = true;
      listen(sending.over ? answerTime(ask, patience) : patience.idle);
    };
    const fail = (error: Error) => {
      socket.destroy();
      inbox?.fail(error);
      reject(networkFault(error, url, about));
    };
    let before: Buffer = Buffer.alloc(0);
    let found: { readonly head: Head; readonly framing: Framing } | undefined;
    let inbox: Inbox | undefined;

    /** What is left of the chunk is of nobody. */
    const finish = ({ keepAlive, headers }: Head, rest: number) => {
      if (rest > 0 || !keepAlive || !sending.over) socket.destroy();
      else pool.give(wire, keepTime(headers['keep-alive']));
      inbox?.end();
    };

    const begin = (chunk: Buffer): Buffer | undefined => {
      before = before.length === 0 ? chunk : Buffer.concat([before, chunk]);
      for (;;) {
        const end = endOfHead(before);
        if (end === undefined) return undefined;
        const parsed = parseHead(before.toString('latin1', 0, end));
        before = before.subarray(end);
        if (parsed.status === 101) throw notHttp('it changes to another protocol');
        if (parsed.status < 200) continue;
        found = { head: parsed, framing: framingOf(method, parsed) };
        inbox = new Inbox(
          () => wire.resume(),
          () => socket.destroy(),
        );
        sending.answered = true;
        wake();
        listen(patience.idle);
        const { status, headers, challenges, warnings } = parsed;
        resolve({ about, status, headers, challenges, warnings, url, body: inbox });
        return before;
      }
    };

    wire.listen({
      bytes(chunk) {
        try {
          const rest = found ? chunk : begin(chunk);
          if (!rest || !found || !inbox) return true;
          const inside = inbox;
          const used = found.framing.take(rest, (part) => inside.push(part));
          wire.expected = found.framing.left;
          if (found.framing.over) finish(found.head, rest.length - used);
          return inside.hasRoom || found.framing.over;
        } catch (error) {
          fail(error as Error);
          return false;
        }
      },
      connected,
      drained: wake,
      silent() {
        // The silence is ours: we wait for bytes to send, or have not read what is there.
        if (sending.starved || (inbox && inbox.waiting > 0)) listen(quiet);
        else fail(silence(quiet, reached));
      },
      closed(error) {
        wake();
        if (found && found.framing.untilClose && !error) inbox?.end();
        else fail(error ?? broken());
      },
    });
    if (wire.used) connected();
    else listen(patience.connect);
    const send = async () => {
      try {
        await sendBody(wire, head, body, sending);
        if (body && reached && !sending.answered) listen(answerTime(ask, patience));
      } catch (error) {
        reject(error);
        socket.destroy();
      }
    };
    void send();
  });
}

/** Throws INPUT for what cannot be in a head. */
function headOf({ about, method, url, headers, body }: Request): string {
  const all = { Host: url.host, ...headers, ...(body && { 'Content-Length': String(body.size) }) };
  const lines = Object.entries(all).map(([name, value]) => {
    if (/[^\t\x20-\x7e\x80-\xff]/.test(value)) {
      throw new Fault('INPUT', `${about}: what would be sent as ${name} is no text of one line`);
    }
    return `${name}: ${value}\r\n`;
  });
  return `${method} ${url.pathname}${url.search} HTTP/1.1\r\n${lines.join('')}\r\n`;
}

async function sendBody(wire: Wire, head: string, body: Body | undefined, sending: Sending): Promise<void> {
  const { socket } = wire;
  const parts: Uint8Array[] = [];
  const stopped = () => sending.answered || socket.destroyed;
  const together = body !== undefined && body.size <= small;
  if (!together) socket.write(head, 'latin1');
  if (body) {
    let size = 0;
    sending.starved = true;
    for await (const chunk of body.read()) {
      sending.starved = false;
      if (stopped()) return;
      size += chunk.length;
      if (together) parts.push(chunk);
      else if (!socket.write(chunk, (error) => !error && giveBack(chunk)))
        await new Promise<void>((wake) => (sending.wake = wake));
      if (stopped()) return;
      sending.starved = true;
    }
    sending.starved = false;
    if (size !== body.size) throw new Error(`a body of ${body.size} bytes has ${size}`);
  }
  sending.over = true;
  if (together) socket.write(Buffer.concat([Buffer.from(head, 'latin1'), ...parts]));
}

/** Out of `Keep-Alive: timeout=SECONDS`, in ms. */
function keepTime(header: string | readonly string[] | undefined): number | undefined {
  const seconds = /\btimeout=(\d{1,6})\b/.exec(String(header ?? ''))?.[1];
  return seconds === undefined ? undefined : Number(seconds) * 1000;
}
