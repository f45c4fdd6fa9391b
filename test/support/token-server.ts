import { createSign, randomUUID, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { Certificate } from './certificate.ts';

export type TokenServer = {
  readonly url: string;
  /** Method and query or form of each request. */
  readonly requests: { readonly method: string; readonly fields: URLSearchParams }[];
  stop(): void;
};

/** The one user it knows. */
export const user = { name: 'tester', password: 'pass:word', refresh: 'a-refresh-token' } as const;

/** docker's protocol of token servers: by Basic, by refresh token, or for reading as nobody. */
export async function startTokenServer({ key, cert }: Certificate, tls: boolean): Promise<TokenServer> {
  const requests: TokenServer['requests'] = [];
  const privateKey = readFileSync(key, 'utf8');
  const chain = [new X509Certificate(readFileSync(cert)).raw.toString('base64')];
  const listener: RequestListener = async (request, response) => {
    const url = new URL(request.url ?? '', 'http://x');
    const posted = request.method === 'POST';
    const fields = posted ? new URLSearchParams(await text(request)) : url.searchParams;
    requests.push({ method: request.method ?? '', fields });
    const expected = `Basic ${Buffer.from(`${user.name}:${user.password}`).toString('base64')}`;
    const known = posted
      ? fields.get('refresh_token') === user.refresh
      : request.headers.authorization === expected;
    if ((posted || request.headers.authorization !== undefined) && !known) {
      response.writeHead(401, { 'Content-Type': 'application/json' });
      response.end('{"errors":[{"code":"UNAUTHORIZED","message":"wrong password"}]}');
      return;
    }
    const access = fields
      .getAll('scope')
      .flatMap((scope) => scope.split(' '))
      .map((scope) => {
        const [type, ...rest] = scope.split(':');
        const actions = rest.pop()?.split(',') ?? [];
        return {
          type,
          name: rest.join(':'),
          actions: known ? actions : actions.filter((one) => one === 'pull'),
        };
      });
    const now = Math.floor(Date.now() / 1000);
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const payload = {
      iss: 'issuer.test',
      sub: known ? user.name : '',
      aud: 'registry.test',
      exp: now + 300,
      nbf: now - 10,
      iat: now,
      jti: randomUUID(),
      access,
    };
    const signed = `${part({ typ: 'JWT', alg: 'RS256', x5c: chain })}.${part(payload)}`;
    const signature = createSign('RSA-SHA256').update(signed).sign(privateKey, 'base64url');
    const token = `${signed}.${signature}`;
    response.writeHead(200, { 'Content-Type': 'application/json' });
    response.end(
      JSON.stringify(posted ? { access_token: token, expires_in: 300 } : { token, expires_in: 300 }),
    );
  };
  const server = tls
    ? createTlsServer({ key: privateKey, cert: readFileSync(cert) }, listener)
    : createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    // By name: crane takes no address of the local network for a place of tokens.
    url: `${tls ? 'https' : 'http'}://localhost:${port}/token`,
    requests,
    stop() {
      server.closeAllConnections();
      server.close();
    },
  };
}
