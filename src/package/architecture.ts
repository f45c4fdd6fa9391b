/** The machine that a package runs on, as control files name it; `all` runs on each. */
export type Architecture = 'x86_64' | 'aarch64' | 'all';

/** The names of one machine: in control files, as `ARCH` of a recipe, in OCI documents, and in Node. */
export type Machine = {
  readonly name: Exclude<Architecture, 'all'>;
  readonly triple: string;
  readonly oci: string;
  readonly node: string;
};

export const machines: readonly Machine[] = [
  { name: 'x86_64', triple: 'x86_64-linux-musl', oci: 'amd64', node: 'x64' },
  { name: 'aarch64', triple: 'aarch64-linux-musl', oci: 'arm64', node: 'arm64' },
];

/** The machine that has `name` in one of its four name spaces. */
export const machineBy = (space: keyof Machine, name: string): Machine | undefined =>
  machines.find((machine) => machine[space] === name);

export const isArchitecture = (text: string): text is Architecture =>
  text === 'all' || machines.some(({ name }) => name === text);
