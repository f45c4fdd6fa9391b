/** The public interface of the library, as README.md describes it; everything else may change at any time. */
export { type Annotations, type Descriptor, type Document, mediaTypes, type Platform } from './descriptor.ts';
export { type Digest, digestOf, type Sized } from './digest.ts';
export { Fault, type FaultCode } from './fault.ts';
export { withLock } from './lock.ts';
export { completeReference, formatReference, parseReference, type Reference } from './reference.ts';

export { arrange, directory, file, symlink } from './tar/arrange.ts';
export { assemble, assembledSize, type Member } from './tar/assemble.ts';
export { Compressor } from './tar/compressor.ts';
export { type Encoding, mediaTypeOf } from './tar/encoding.ts';
export { type Layer, makeLayer, planEntries, planTree } from './tar/layer.ts';
export { unpackTree } from './tar/unpack.ts';

export { putDocument, readBlob } from './store/blob.ts';
export { check, type Damage } from './store/check.ts';
export { collect, type Collected } from './store/collect.ts';
export { allEntries, collectionType, getEntry, updateCollection } from './store/collection.ts';
export { copy, type CopyEvent } from './store/copy.ts';
export type { FileStore } from './store/file-store.ts';
export { memoryStore } from './store/memory-store.ts';
export { openStore } from './store/open-store.ts';
export { fromStore, repair } from './store/repair.ts';
export type { BlobStore, Content, Named, NamedStore, Range } from './store/store.ts';

export {
  type AssembledImage,
  assembleImage,
  assembleIndex,
  type ImageDescription,
  type LayerSource,
} from './image/assemble.ts';
export { diffImages, type ImageDiff } from './image/diff.ts';
export { exportImage } from './image/export.ts';
export { type Image, openImage, openImages } from './image/image.ts';
export { importImage } from './image/import.ts';
export { inspect, type Inspection } from './image/inspect.ts';
export { defaultBudget, mostLayers, type Part, planLayers } from './image/layering.ts';
export type { Settings } from './image/settings.ts';
export { parsePlace, type Place } from './image/transport.ts';
export { validate, type Violation } from './image/validate.ts';

export type { Credential } from './registry/credential.ts';
export { findCredential } from './registry/credentials.ts';
export { forgetLogin, keepLogin, tryLogin } from './registry/login.ts';
export { pull, type PullOptions } from './registry/pull.ts';
export { push } from './registry/push.ts';
export { listReferrers } from './registry/referrers.ts';
export { Registry } from './registry/registry.ts';
export { openRepository, type Repository, type RepositoryOptions } from './registry/repository.ts';
export type { RegistryEvent, RegistrySettings } from './registry/settings.ts';
