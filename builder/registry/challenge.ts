/** One way to authenticate that a server offers (RFC 9110, section 11.6.1). Names are in lower case. */
export type Challenge = {
  readonly scheme: string;
  readonly parameters: Readonly<Record<string, string>>;
};

/** A header longer than this is not read, so that a server cannot keep the parser busy. */
const longest = 16384;

const token = /[!#$%&'*+.^_`|~0-9A-Za-z-]+/y;
const parameter =
  /([!#$%&'*+.^_`|~0-9A-Za-z-]+)[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([!#$%&'*+.^_`|~0-9A-Za-z:/?=&,-]*?))(?=[ \t]*(?:,|$))/y;
const blank = /[ \t]*/y;
const separator = /[ \t]*(?:,[ \t]*)*/y;
/** What a challenge may have instead of parameters; Negotiate does. */
const token68 = /[A-Za-z0-9._~+/-]+=*(?=[ \t]*(?:,|$))/y;

/**
 * Every challenge in the headers, in their order. A header may hold several, and there may be several headers.
 *
 *     header     ::= challenge ( "," challenge )*
 *     challenge  ::= scheme [ " " ( token68 | parameter ( "," parameter )* ) ]
 *     parameter  ::= name "=" ( token | quoted )
 *
 * What cannot be understood ends the header it is in: what came before is kept.
 */
export const parseChallenges = (headers: readonly string[]): Challenge[] => headers.flatMap(parseHeader);

function parseHeader(header: string): Challenge[] {
  const text = header.slice(0, longest);
  const found: Challenge[] = [];
  let at = 0;
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (match) at += match[0].length;
    return match;
  };
  take(separator);
  while (at < text.length) {
    const scheme = take(token)?.[0];
    if (scheme === undefined) break;
    const parameters: Record<string, string> = {};
    const spaced = (take(blank)?.[0].length ?? 0) > 0;
    if (spaced && !take(token68)) {
      for (let pair = take(parameter); pair; pair = take(parameter)) {
        const [, name = '', quoted, plain = ''] = pair;
        parameters[name.toLowerCase()] ??= quoted === undefined ? plain : quoted.replaceAll(/\\(.)/g, '$1');
        const end = at;
        take(separator);
        if (!parameterAhead(text, at)) {
          at = end;
          break;
        }
      }
    }
    found.push({ scheme: scheme.toLowerCase(), parameters });
    const before = at;
    take(separator);
    if (before === at) break;
  }
  return found;
}

function parameterAhead(text: string, at: number): boolean {
  parameter.lastIndex = at;
  return parameter.test(text);
}

/** The first challenge that we can answer; Negotiate, NTLM and others are passed over. */
export const chooseChallenge = (challenges: readonly Challenge[]): Challenge | undefined =>
  challenges.find(({ scheme, parameters }) =>
    scheme === 'bearer' ? parameters['realm'] !== undefined : scheme === 'basic',
  );
