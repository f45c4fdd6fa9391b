import type { Header } from '../tar/entry.ts';

/** An entry of the merged root, and the layer that it comes from. */
export type Node = {
  header: Header;
  layer: number;
  readonly children: Map<string, Node>;
};

/** Names in layers that delete what is below (image-spec, layer.md, "Whiteouts"). */
const whiteout = '.wh.';
const opaque = '.wh..wh..opq';

/** Of a directory that no layer tells of. */
const implied = (path: string): Header => ({
  path: Buffer.from(path, 'latin1'),
  type: 'directory',
  mode: 0o755,
  uid: 0,
  gid: 0,
});

/**
 * The root that layers make, put one upon another: what a later one brings replaces what is there, directories
 * keep what they hold, whiteouts delete what is below them and never what is beside them in their layer.
 */
export class Merge {
  readonly root: Node = { header: implied(''), layer: -1, children: new Map() };
  #layer = -1;

  /** The next layer, with all its entries; their paths may be in any order. */
  add(headers: readonly Header[]): void {
    this.#layer++;
    for (const { path } of headers) {
      const { parents, name } = split(path);
      if (!name.startsWith(whiteout)) continue;
      const directory = this.#find(parents);
      if (name === opaque) directory?.children.clear();
      else directory?.children.delete(name.slice(whiteout.length));
    }
    for (const header of headers) {
      const { parents, name } = split(header.path);
      if (!name.startsWith(whiteout)) this.#put(this.#directory(parents), name, header);
    }
  }

  find(path: Buffer): Node | undefined {
    const { parents, name } = split(path);
    return this.#find(parents)?.children.get(name);
  }

  /** Depth first, a directory before what it holds, names by bytes. */
  *entries(node: Node = this.root): Generator<Node, void> {
    if (node !== this.root) yield node;
    // Names are in latin1, so the order of code units is that of bytes.
    for (const name of [...node.children.keys()].sort()) {
      const child = node.children.get(name);
      if (child) yield* this.entries(child);
    }
  }

  #find(parents: readonly string[]): Node | undefined {
    let node: Node | undefined = this.root;
    for (const name of parents) node = node?.children.get(name);
    return node;
  }

  #directory(parents: readonly string[]): Node {
    let node = this.root;
    for (const [at, name] of parents.entries()) {
      const next = node.children.get(name);
      node =
        next?.header.type === 'directory'
          ? next
          : this.#put(node, name, implied(parents.slice(0, at + 1).join('/')));
    }
    return node;
  }

  #put(directory: Node, name: string, header: Header): Node {
    const old = directory.children.get(name);
    if (old?.header.type === 'directory' && header.type === 'directory') {
      old.header = header;
      old.layer = this.#layer;
      return old;
    }
    const node: Node = { header, layer: this.#layer, children: new Map() };
    directory.children.set(name, node);
    return node;
  }
}

function split(path: Buffer): { readonly parents: readonly string[]; readonly name: string } {
  const names = path.toString('latin1').split('/');
  return { parents: names.slice(0, -1), name: names.at(-1) ?? '' };
}
