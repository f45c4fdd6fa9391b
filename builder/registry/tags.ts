import { Fault } from '../fault.ts';
import { items, member, optional, parseJson, string } from '../json.ts';
import { isTag } from '../reference.ts';
import { parseNextLink, resolveLocation } from './header.ts';
import { ask, labelOf, type Place, refuse } from './place.ts';
import { readBody } from './request.ts';

/** There are registries that refuse more. */
const pageSize = 1000;

/** A page of so many tags of full length, with what may be around them, in bytes. */
const longestPage = 4 << 20;

/** More pages than any list has that ends. */
const mostPages = 2000;

/**
 * Every tag of the repository (distribution-spec, end-8b), page by page; none if there is no such repository.
 * What is no tag is left out.
 */
export async function listTags(place: Place): Promise<readonly string[]> {
  const found = new Set<string>();
  const first = `${place.name}/tags/list?n=${pageSize}`;
  let next: string | URL = first;
  for (let page = 0; page < mostPages; page++) {
    const answer = await ask(place, 'listing the tags', 'GET', next);
    if (answer.status !== 200) {
      if (answer.status === 404 && page === 0) return [];
      await refuse(place, answer);
    }
    const bytes = await readBody(answer, longestPage);
    if (!bytes)
      throw new Fault('NETWORK', `${labelOf(place)}: a page of its tags is longer than ${longestPage} bytes`);
    const list = member(parseJson(bytes, `${labelOf(place)}: its list of tags`), 'tags');
    const before = found.size;
    const names = (optional(list, items) ?? []).map(string);
    for (const tag of names) if (isTag(tag)) found.add(tag);
    const said = resolveLocation(parseNextLink(answer.headers.link as string | undefined), answer.url);
    // Some cut the list where they were told to and do not say that it goes on.
    const cut =
      names.length >= pageSize ? `${first}&last=${encodeURIComponent(names.at(-1) ?? '')}` : undefined;
    const link = said ?? cut;
    // The same page again and again has no end either.
    if (!link || found.size === before) return [...found];
    if (typeof link !== 'string' && link.origin !== answer.url.origin) {
      throw new Fault('UNSAFE', `${labelOf(place)}: its list of tags goes on at another host; refused`);
    }
    next = link;
  }
  throw new Fault('NETWORK', `${labelOf(place)}: its list of tags does not end`);
}
