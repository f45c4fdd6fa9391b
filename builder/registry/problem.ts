import { advice } from '../advice.ts';
import { Fault, type FaultCode } from '../fault.ts';
import { wordsOf } from './network-fault.ts';
import { redactText } from './redact.ts';
import { type Answer, readBody } from './request.ts';
import { retryAfter } from './retry.ts';

/** What a registry says when it says no (distribution-spec, "Error Codes"). All of it is safe to print. */
export type Problem = {
  readonly status: number;
  readonly code: string | undefined;
  readonly message: string;
  readonly request: string | undefined;
  /** How long it asks to wait, in seconds. */
  readonly wait?: number;
};

/** Longer explanations are not read, in bytes. */
const longestProblem = 65536;

export async function readProblem(answer: Answer): Promise<Problem> {
  const bytes = await readBody(answer, longestProblem).catch(() => undefined);
  const { code, message } = parseErrors(bytes?.toString('utf8') ?? '', answer.headers['content-type'] ?? '');
  const id = ['x-request-id', 'x-amzn-requestid', 'x-github-request-id', 'x-ms-request-id']
    .map((name) => answer.headers[name])
    .find((value) => typeof value === 'string' && value !== '');
  const wait = retryAfter(answer.headers, Date.now());
  return {
    status: answer.status,
    code,
    message,
    request: typeof id === 'string' ? redactText(id) : undefined,
    ...(wait !== undefined && { wait: Math.ceil(wait / 1000) }),
  };
}

function parseErrors(
  text: string,
  type: string,
): { readonly code: string | undefined; readonly message: string } {
  try {
    const { errors, details } = JSON.parse(text) as { errors?: unknown; details?: unknown };
    const [first] = Array.isArray(errors) ? (errors as unknown[]) : [];
    const { code, message } = (first ?? {}) as { code?: unknown; message?: unknown };
    return {
      code: typeof code === 'string' ? redactText(code) : undefined,
      message: redactText(typeof message === 'string' ? message : typeof details === 'string' ? details : ''),
    };
  } catch {
    // Pages of proxies are of no use to anybody.
    const plain = !/html/i.test(type) && !text.trimStart().startsWith('<');
    return { code: undefined, message: plain ? redactText(text.trim()) : '' };
  }
}

const codes: Readonly<Record<string, FaultCode>> = {
  DIGEST_INVALID: 'INTEGRITY',
  SIZE_INVALID: 'INTEGRITY',
  MANIFEST_BLOB_UNKNOWN: 'INTEGRITY',
  MANIFEST_UNKNOWN: 'NOT_FOUND',
  BLOB_UNKNOWN: 'NOT_FOUND',
  NAME_UNKNOWN: 'NOT_FOUND',
};

/** One line with host, repository, operation, status and the registry's own code, and what to do. */
export function problemFault(problem: Problem, about: string, host: string): Fault {
  const { status, code, message, request } = problem;
  const known = code === undefined ? undefined : codes[code];
  const text = [
    `${about}: status ${status}`,
    ...(code === undefined ? [] : [` ${code}`]),
    ...(message === '' ? [] : [`: ${message}`]),
    ...(request === undefined ? [] : [` (request ${request})`]),
  ];
  const hint = hintFor(problem, host);
  return new Fault(known ?? (status === 404 ? 'NOT_FOUND' : 'NETWORK'), text.join(''), {
    cause: problem,
    ...(hint !== undefined && { hint }),
  });
}

/** What was wrong, in a few words that name no host. */
export function reasonOf({ cause, message }: Fault): string {
  if (cause instanceof Error) return wordsOf(cause);
  const { status, code } = (cause ?? {}) as Partial<Problem>;
  return status === undefined ? message : `status ${status}${code === undefined ? '' : ` ${code}`}`;
}

/** The registry's own code, if that is what the fault came of. */
export const problemCode = (error: unknown): string | undefined =>
  error instanceof Fault && !(error.cause instanceof Error)
    ? (error.cause as Problem | undefined)?.code
    : undefined;

function hintFor({ status, code, message, wait }: Problem, host: string): string | undefined {
  if (/immutable|cannot be overwritten|already exists/i.test(message) || code === 'TAG_INVALID') {
    return 'that tag may not be moved; choose another one';
  }
  if (status === 401) return advice.login(host);
  if (status === 403) {
    return host === 'ghcr.io'
      ? `this account may not do that; a token for ${host} needs the packages scopes and, for an organisation, SSO`
      : `this account may not do that; log in to ${host} as one that may`;
  }
  if (code === 'NAME_UNKNOWN' || (status === 404 && /repository/i.test(message))) {
    return 'the repository does not exist; check its name, or create it first if the registry wants that';
  }
  if (code === 'MANIFEST_BLOB_UNKNOWN')
    return 'something that it needs is not in the registry; push it again';
  if (status === 405) return `${host} does not allow that; it may be read-only or too old`;
  if (status === 413) return 'a proxy before the registry limits the size of requests; set a smaller chunk';
  if (status === 429)
    return `the registry limits requests; wait${wait ? ` ${wait} s` : ''}, or log in for a higher limit`;
  if (status === 507 || /no space|quota|disk full/i.test(message)) return 'the registry is full';
  return status >= 500
    ? 'the registry is in trouble, such as by a full disk; its log tells, or try again later'
    : undefined;
}
