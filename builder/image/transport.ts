import { Fault } from '../fault.ts';
import { quote } from '../json.ts';
import { parseReference, type Reference } from '../reference.ts';

/** Files of images that may have names. */
export type FilePlace = {
  readonly transport: 'oci' | 'oci-archive' | 'docker-archive';
  readonly path: string;
  readonly name?: string;
};

export type RootfsPlace = { readonly transport: 'rootfs'; readonly path: string };

export type EnginePlace = {
  readonly transport: 'docker-daemon' | 'containers-storage' | 'containerd';
  readonly reference: Reference;
};

/** Where an image is, or goes. */
export type Place =
  | FilePlace
  | RootfsPlace
  | EnginePlace
  | { readonly transport: 'docker' | 'store'; readonly reference: Reference };

/**
 * The places that images can have, named as skopeo names them:
 *
 *     oci:DIR[:NAME]               an OCI image layout
 *     oci-archive:FILE[:NAME]      a tar of one
 *     docker-archive:FILE[:NAME]   what docker loads and saves
 *     docker-daemon:REFERENCE      in docker
 *     containers-storage:REFERENCE in podman
 *     containerd:REFERENCE         in containerd
 *     docker://REFERENCE           in a registry
 *     rootfs:FILE                  a tar of the root file system
 *     REFERENCE                    in our own store
 *
 * DIR and FILE end at the first colon. Throws INPUT for anything else.
 */
export function parsePlace(text: string): Place {
  const colon = text.indexOf(':');
  const transport = text.slice(0, Math.max(0, colon));
  const rest = text.slice(colon + 1);
  switch (transport) {
    case 'oci':
    case 'oci-archive':
    case 'docker-archive': {
      const [path = '', ...names] = rest.split(':');
      const name = names.join(':');
      return { transport, path: checkFile(path, text), ...(name === '' ? {} : { name }) };
    }
    case 'rootfs':
      return { transport, path: checkFile(rest, text) };
    case 'docker':
      if (!rest.startsWith('//')) throw wrong(text, 'docker: is followed by // and the name in a registry');
      return { transport, reference: parseReference(rest.slice(2)) };
    case 'docker-daemon':
    case 'containers-storage':
    case 'containerd':
      return { transport, reference: parseReference(rest) };
    default:
      return { transport: 'store', reference: parseReference(text) };
  }
}

function checkFile(path: string, text: string): string {
  if (path !== '') return path;
  throw wrong(text, 'a path is missing behind the colon');
}

const wrong = (text: string, hint: string): Fault =>
  new Fault('INPUT', `${quote(text)} is no place of an image`, { hint });
