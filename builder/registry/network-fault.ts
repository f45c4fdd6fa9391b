import { advice } from '../advice.ts';
import { Fault } from '../fault.ts';
import { redactText } from './redact.ts';

/** Reasons that a second try does not remove. Node and OpenSSL name them so. */
const permanent: ReadonlySet<string> = new Set([
  'ENOTFOUND',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'CERT_REVOKED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'ERR_PROXY_TUNNEL',
]);

const codeOf = (error: unknown): string => {
  if (error instanceof AggregateError && error.errors.length > 0) return codeOf(error.errors[0]);
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : '';
};

/** Whether no connection came about, so that the server cannot have done anything. */
export const isRefused = (fault: Fault): boolean =>
  ['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH'].includes(codeOf(fault.cause));

/** Whether there was a connection, and it broke. */
export const isBroken = (fault: Fault): boolean => ['ECONNRESET', 'EPIPE'].includes(codeOf(fault.cause));

/** Of a host that is reached, or is not, and says nothing for so many milliseconds. */
export const silence = (milliseconds: number, reached: boolean): Error =>
  reached
    ? Object.assign(new Error(`no byte of an answer for ${milliseconds / 1000} s`), { code: 'SILENCE' })
    : Object.assign(new Error(`no connection within ${milliseconds / 1000} s`), { code: 'ETIMEDOUT' });

/** Whether there was no connection for as long as the system, or we, tried to get one. */
export const isUnreachable = (fault: Fault): boolean => codeOf(fault.cause) === 'ETIMEDOUT';

/** Whether nothing was heard for as long as we are patient. */
export const isSilence = (fault: Fault): boolean => ['SILENCE', 'ETIMEDOUT'].includes(codeOf(fault.cause));

export const isPermanent = (fault: Fault): boolean => permanent.has(codeOf(fault.cause));

/** Whether the certificate is of nobody we know: the system may know more authorities than Node does. */
export const isUnknownAuthority = (error: unknown): boolean =>
  error instanceof Fault &&
  /^(SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_GET_ISSUER|UNABLE_TO_VERIFY|DEPTH_ZERO)/.test(codeOf(error.cause));

/** Whether the connection was lost or never came about, as opposed to an answer that says no. */
export const isLost = (error: unknown): error is Fault =>
  error instanceof Fault && error.code === 'NETWORK' && error.cause instanceof Error;

/** Whether the other side does not speak TLS, or speaks it where we did not. */
export const isOtherProtocol = (error: unknown): error is Fault =>
  isLost(error) && /^(EPROTO|ERR_SSL_|HPE_|ECONNRESET|ECONNREFUSED)/.test(codeOf(error.cause));

/** NETWORK, in words, `about` a request to `url`; what is a Fault already stays as it is. */
export function networkFault(error: unknown, url: URL, about: string): Fault {
  if (error instanceof Fault) return error;
  const cause = error instanceof Error ? error : new Error(redactText(String(error)));
  return new Fault('NETWORK', `${about}: ${wordsOf(cause)}`, {
    cause,
    ...hintFor(codeOf(error), cause.message, url),
  });
}

/** What became of a connection, without whose it was. */
export const wordsOf = (error: Error): string => words(codeOf(error), error.message);

function words(code: string, text: string): string {
  if (code === 'ENOTFOUND') return 'the host name is not known (ENOTFOUND)';
  if (code === 'EAI_AGAIN') return 'the host name cannot be looked up just now (EAI_AGAIN)';
  if (code === 'ECONNREFUSED') return 'nobody answers there (ECONNREFUSED)';
  if (code === 'ECONNRESET' || code === 'EPIPE' || text === 'aborted') return 'the connection broke';
  // What Node adds to it has been tried: the system's authorities (connection.ts).
  if (isTls(code)) {
    return `its certificate is not to be trusted: ${redactText(text.replace(/; if the root CA.*/s, ''))}`;
  }
  if (isPlain(code, text)) return `it does not speak TLS (${code})`;
  if (isHandshake(code)) return `TLS did not come about: ${reasonOf(text)} (${code})`;
  return redactText(text === '' ? code : text);
}

const isTls = (code: string): boolean =>
  permanent.has(code) && code !== 'ENOTFOUND' && code !== 'ERR_PROXY_TUNNEL';

const isHandshake = (code: string): boolean => code === 'EPROTO' || code.startsWith('ERR_SSL');

/** Where another protocol was answered; OpenSSL has these words for it. */
const isPlain = (code: string, text: string): boolean =>
  isHandshake(code) && /wrong.version.number|http.request|packet.length.too.long/i.test(`${code} ${text}`);

/** Of OpenSSL's `40D7…:error:0A00010B:SSL routines:ssl3_get_record:REASON:FILE:LINE:`. */
const reasonOf = (text: string): string => redactText(/SSL routines:[^:]*:([^:]+)/.exec(text)?.[1] ?? text);

function hintFor(code: string, text: string, url: URL): { readonly hint?: string } {
  if (code === 'ENOTFOUND') return { hint: 'check the name of the host, and the proxy if there is one' };
  if (code === 'SILENCE' || code === 'ETIMEDOUT') {
    return {
      hint: 'check host and port, and that no firewall is in between; if they are right, try again later',
    };
  }
  if (code === 'EAI_AGAIN') return { hint: 'is there a network? what is in the store needs none' };
  if (code === 'ECONNREFUSED') return { hint: 'check host and port, and that the registry runs' };
  if (isPlain(code, text)) {
    return { hint: `check the port; ${advice.plainHttp(url.host)}` };
  }
  if (isHandshake(code) && /certificate required|bad certificate|handshake failure/.test(text)) {
    return { hint: `if it wants a certificate of yours: certs.d/${url.host}/client.cert and client.key` };
  }
  if (isTls(code)) return { hint: certificateHint(code, url) };
  return {};
}

function certificateHint(code: string, { host }: URL): string {
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return 'it is for other names: call the registry by one of them';
  if (code === 'CERT_HAS_EXPIRED' || code === 'CERT_NOT_YET_VALID') {
    return 'check the clock of this machine; if that is right, the registry needs a new one';
  }
  if (code === 'CERT_REVOKED') return 'the registry needs a new one';
  return `if you trust it: it, or its authority, goes into ~/.config/containers/certs.d/${host}/ca.crt or /etc/docker/certs.d/${host}/ca.crt`;
}
