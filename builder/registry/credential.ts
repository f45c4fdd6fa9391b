/** How somebody shows who they are. Never printed, never put into a message. */
export type Credential =
  | { readonly kind: 'password'; readonly username: string; readonly password: string }
  /** A refresh token, which gets tokens from the registry's token server. */
  | { readonly kind: 'identity'; readonly token: string }
  /** Sent to the registry as it is. */
  | { readonly kind: 'registry'; readonly token: string };

/** docker's convention: the user `<token>` says that the secret is a refresh token. */
export const passwordOrToken = (username: string, secret: string): Credential =>
  username === '<token>'
    ? { kind: 'identity', token: secret }
    : { kind: 'password', username, password: secret };
