import { binaryFields, parseBinaryControl } from '../package/binary-control.ts';
import type { PackageIdentity, PackageRecord } from '../package/record.ts';

type Identity = Omit<PackageIdentity, 'diffID'> & { readonly diffID?: string };

/** Why a package is another one; what was before and what is now, where both say it. */
export type Reason =
  | { readonly reason: 'version'; readonly before: string; readonly after: string }
  | { readonly reason: 'source'; readonly before: Identity; readonly after: Identity }
  /** A package in a root of its build came, went, or was another; `diffID` tells builds of one version apart. */
  | {
      readonly reason: 'dependency';
      readonly name: string;
      readonly before: Identity | undefined;
      readonly after: Identity | undefined;
    }
  | { readonly reason: 'control'; readonly fields: readonly string[] }
  | { readonly reason: 'origin'; readonly before: string; readonly after: string }
  /** Everything else that decides a build: its recipe, archives, or the compiler of the machine. */
  | { readonly reason: 'recipe' }
  /** The same build gave other bytes. */
  | { readonly reason: 'not reproducible' }
  /** It came, or went, because these packages need it; none, if it was asked for itself. */
  | { readonly reason: 'needed'; readonly by: readonly string[] }
  /** There is no record to tell by. */
  | { readonly reason: 'unknown'; readonly of: 'before' | 'after' | 'both' };

/** Why two builds of a package differ, as their records tell: the most telling first. */
export function reasonsOf(
  before: PackageRecord | undefined,
  after: PackageRecord | undefined,
): readonly Reason[] {
  if (!before || !after) {
    return [{ reason: 'unknown', of: before ? 'after' : after ? 'before' : 'both' }];
  }
  const known = [before, after].map(({ buildKey }) => buildKey !== undefined);
  if (!known[0] || !known[1]) {
    const of = known[0] ? 'after' : known[1] ? 'before' : 'both';
    return [...controlReasons(before, after), { reason: 'unknown', of }];
  }
  if (before.buildKey === after.buildKey) return [{ reason: 'not reproducible' }];
  const reasons = [...controlReasons(before, after), ...dependencyReasons(before, after)];
  const explained = reasons.some(({ reason }) => ['version', 'source', 'dependency'].includes(reason));
  return explained ? reasons : [...reasons, { reason: 'recipe' }];
}

function controlReasons(before: PackageRecord, after: PackageRecord): Reason[] {
  const reasons: Reason[] = [];
  const [old, now] = [before, after].map(({ control }) => parseBinaryControl(control, 'control'));
  if (!old || !now) return reasons;
  if (old.version !== now.version) {
    reasons.push({ reason: 'version', before: old.version, after: now.version });
  }
  const [from, to] = [before.source, after.source];
  if (from && to && (from.name !== to.name || from.version !== to.version)) {
    reasons.push({ reason: 'source', before: from, after: to });
  }
  const values = new Map(binaryFields(now).map(([name, value]) => [name, JSON.stringify(value)]));
  const fields = binaryFields(old)
    .filter(([name, value]) => values.get(name) !== JSON.stringify(value))
    .map(([name]) => name)
    .filter((name) => name !== 'Version' && name !== 'Source');
  if (fields.length > 0) reasons.push({ reason: 'control', fields });
  const [was, is] = [before.origin ?? 'packages', after.origin ?? 'packages'];
  if (was !== is) reasons.push({ reason: 'origin', before: was, after: is });
  return reasons;
}

const byName = ({ builtFrom }: PackageRecord) => new Map(builtFrom.map((each) => [each.name, each]));

function dependencyReasons(before: PackageRecord, after: PackageRecord): Reason[] {
  const [old, now] = [byName(before), byName(after)];
  return [...new Set([...old.keys(), ...now.keys()])].sort().flatMap((name): Reason[] => {
    const [was, is] = [old.get(name), now.get(name)];
    const same = was?.version === is?.version && was?.diffID === is?.diffID;
    return same ? [] : [{ reason: 'dependency', name, before: was, after: is }];
  });
}
