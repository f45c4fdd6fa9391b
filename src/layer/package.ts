import { type BinaryControl, parseBinaryControl } from '../package/binary-control.ts';
import type { Published } from '../package/elsewhere.ts';
import type { ChosenPackage } from '../run/chosen.ts';

/** A chosen package whose control has been read. */
export type LayerPackage = ChosenPackage & {
  readonly control: BinaryControl;
  /** Where it was taken from, if that was a registry. */
  readonly published?: Published;
};

/** Throws INPUT, naming the file, for a control that is wrong. */
export const readPackage = ({ name, version, record, tree }: ChosenPackage): LayerPackage => ({
  name,
  version,
  record,
  tree,
  control: parseBinaryControl(record.control, `${tree}/control`),
});

export const titleOf = ({ name, version }: Pick<LayerPackage, 'name' | 'version'>): string =>
  `${name} ${version}`;
