/**
 * What hints advise that a user of the library can do by something of their own, a setting or a command. They are here
 * so that whoever tells such a hint can find it there again, and add what that is called.
 */
export const advice = {
  plainHttp: (host: string) => `plain http to ${host}, for networks that you trust, has to be allowed`,
  login: (host: string) => `log in to ${host} first`,
  noUser: () => 'leave out what is before the @, and log in',
  takePackages: () => 'packages are taken from their repository, other artifacts by their own tools',
} as const;
