import type { Agent, ClientRequest, IncomingHttpHeaders, IncomingMessage, RequestOptions } from 'node:http';
import type { AgentOptions } from 'node:https';
import { longestHead } from './http-head.ts';
import { networkFault, silence } from './network-fault.ts';
import type { Trust } from './trust.ts';

/** Bytes to send: their number, and a way to read them, as often as the request is made again. */
export type Body = { readonly size: number; readonly read: () => AsyncIterable<Uint8Array> };

/** All in milliseconds, and of silence, never of a whole transfer. */
export type Patience = {
  readonly connect: number;
  /** Until a host answers for the first time, which costs it nothing. */
  readonly ping: number;
  /** Until it begins to answer a question. */
  readonly answer: number;
  /** Between two parts of what is sent or comes, and until what was sent is answered. */
  readonly idle: number;
  /** On top of `idle`, for each MiB that a server has to digest before it answers. */
  readonly commit: number;
  /** When the user is told that we wait for an answer. */
  readonly notice: number;
};

export const defaultPatience: Patience = {
  connect: 10_000,
  ping: 15_000,
  answer: 30_000,
  idle: 60_000,
  commit: 200,
  notice: 3000,
};

export type Request = {
  /** `HOST[/NAME]: OPERATION: METHOD`, which starts every message about it. */
  readonly about: string;
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Body | undefined;
  /** It is the first thing that the host is asked. */
  readonly first?: true;
};

/** How long nothing need come once a request has been sent, in ms. */
export const answerTime = ({ body, first }: Request, { ping, answer, idle, commit }: Patience): number =>
  body && body.size > 0 ? idle + (commit * body.size) / (1 << 20) : first ? ping : answer;

/** Who reads no body must {@link discard} it, or the connection is lost. */
export type Answer = {
  readonly about: string;
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Every WWW-Authenticate and Warning header by itself. */
  readonly challenges: readonly string[];
  readonly warnings: readonly string[];
  readonly url: URL;
  readonly body: AsyncIterable<Buffer> & { destroy(): void };
};

/** Connections that are kept open between requests. */
export type Agents = {
  readonly of: (secure: boolean) => Agent;
  readonly close: () => void;
};

/** Proxies are named by the environment that is given in. What knows TLS is loaded when it is needed. */
export function openAgents(environment: NodeJS.ProcessEnv): Agents {
  const options: AgentOptions = { keepAlive: true, maxSockets: 64, proxyEnv: environment };
  const opened = new Map<boolean, Agent>();
  return {
    of(secure) {
      const known = opened.get(secure);
      if (known) return known;
      const agent = new (process.getBuiltinModule(secure ? 'node:https' : 'node:http').Agent)(options);
      opened.set(secure, agent);
      return agent;
    },
    close() {
      for (const agent of opened.values()) agent.destroy();
    },
  };
}

/**
 * One request and the beginning of its answer, through Node's own client, which knows proxies. Throws NETWORK if no
 * answer came, and what `body.read` throws. An answer may come before the body has been sent; the rest of it is then
 * not sent, nor the connection used again.
 */
export function exchange(agents: Agents, trust: Trust, patience: Patience, ask: Request): Promise<Answer> {
  const { about, method, url, headers, body } = ask;
  const secure = url.protocol === 'https:';
  const { request } = process.getBuiltinModule(secure ? 'node:https' : 'node:http');
  const options: RequestOptions = {
    method,
    headers: body ? { ...headers, 'Content-Length': String(body.size) } : headers,
    agent: agents.of(secure),
    timeout: patience.connect,
    // Node's own limit is 16 KiB.
    maxHeaderSize: longestHead,
    ...(secure ? trust : {}),
  };
  return new Promise((resolve, reject) => {
    const outgoing = request(url, options);
    let incoming: IncomingMessage | undefined;
    const sending = { starved: false, over: !body };
    let quiet = patience.connect;
    let reached = false;
    const listen = (milliseconds: number) => outgoing.setTimeout((quiet = milliseconds));
    const connected = () => {
      reached = true;
      listen(sending.over ? answerTime(ask, patience) : patience.idle);
    };
    outgoing.on('socket', (socket) => {
      if (!socket.connecting) connected();
      else socket.once(secure ? 'secureConnect' : 'connect', connected);
    });
    outgoing.on('timeout', () => {
      // The silence is ours: we wait for bytes to send, or have not read what is there.
      if (sending.starved || (incoming && incoming.readableLength > 0)) listen(quiet);
      else outgoing.destroy(silence(quiet, reached));
    });
    outgoing.on('error', (error) => reject(networkFault(error, url, about)));
    outgoing.on('response', (response) => {
      incoming = response;
      listen(patience.idle);
      // Nobody may be reading when a connection breaks.
      response.on('error', () => undefined);
      if (!sending.over) response.once('close', () => outgoing.destroy());
      resolve({
        about,
        status: response.statusCode ?? 0,
        headers: response.headers,
        challenges: response.headersDistinct['www-authenticate'] ?? [],
        warnings: response.headersDistinct['warning'] ?? [],
        url,
        body: response,
      });
    });
    if (!body) {
      outgoing.end();
      return;
    }
    const send = async () => {
      try {
        await sendBody(outgoing, body, sending, () => incoming !== undefined);
        if (reached && !incoming) listen(answerTime(ask, patience));
      } catch (error) {
        reject(error);
        outgoing.destroy();
      }
    };
    void send();
  });
}

async function sendBody(
  outgoing: ClientRequest,
  body: Body,
  sending: { starved: boolean; over: boolean },
  answered: () => boolean,
): Promise<void> {
  sending.starved = true;
  for await (const chunk of body.read()) {
    sending.starved = false;
    if (answered() || outgoing.destroyed) return;
    if (!outgoing.write(chunk)) await drained(outgoing);
    if (answered() || outgoing.destroyed) return;
    sending.starved = true;
  }
  sending.starved = false;
  sending.over = true;
  outgoing.end();
}

const drained = (outgoing: ClientRequest): Promise<void> =>
  new Promise((resolve) => {
    const done = () => {
      for (const event of ['drain', 'response', 'close'] as const) outgoing.off(event, done);
      resolve();
    };
    for (const event of ['drain', 'response', 'close'] as const) outgoing.on(event, done);
  });

/** Reads at most `limit` bytes; undefined, and the connection is closed, if there are more. */
export async function readBody(answer: Answer, limit: number): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of answer.body) {
      size += chunk.length;
      if (size > limit) return undefined;
      chunks.push(chunk);
    }
  } catch (error) {
    throw networkFault(error, answer.url, answer.about);
  }
  return Buffer.concat(chunks);
}

/** Ends with the answer; a short rest is read, so that the connection can be used again. */
export async function discard(answer: Answer): Promise<void> {
  await readBody(answer, 65536).catch(() => undefined);
}
