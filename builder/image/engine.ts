import { type Digest, isDigest } from '../digest.ts';
import { runProgram } from './program.ts';

export type EngineOptions = {
  /** The engine's program, with arguments that come before all others, such as `-H unix:///…`. */
  readonly command?: readonly string[];
};

export type Loaded = {
  /** Layers that were sent, and those that were not as the engine had them. */
  readonly sent: number;
  readonly present: number;
};

/** A command line has an end, and so many images fit on it. */
const atOnce = 500;

/** The diffIDs of every image that docker or podman has, from bottom to top. */
export async function layersOfAll(command: readonly string[]): Promise<readonly (readonly Digest[])[]> {
  const ids = await runProgram([...command, 'image', 'ls', '--all', '--quiet', '--no-trunc']);
  const unique = [...new Set(ids.split('\n').filter(Boolean))];
  const all: (readonly Digest[])[] = [];
  for (let at = 0; at < unique.length; at += atOnce) {
    const format = '{{range .RootFS.Layers}}{{.}} {{end}}';
    const some = unique.slice(at, at + atOnce);
    const listed = await runProgram([...command, 'image', 'inspect', '--format', format, ...some]);
    for (const line of listed.split('\n')) all.push(line.split(' ').filter(isDigest));
  }
  return all;
}
