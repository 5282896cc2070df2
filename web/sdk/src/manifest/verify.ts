// The server's signed list of places (proto/alcove/v1/manifest.proto). Everything is bounded as in
// src/policy/manifest.h.

import { fromBinary } from '@bufbuild/protobuf';
import { parseAddress } from '../egress/address';
import { RelayList } from '../egress/relays';
import { AlcoveError } from '../errors';
import { ManifestSchema } from '../gen/alcove/v1/manifest_pb';
import type { Manifest, ManifestEndpoint, SignedManifest } from '../gen/alcove/v1/manifest_pb';
import { concat, utf8 } from '../keys/bytes';
import { kHashSize, kKeySize, kSignatureSize } from '../keys/sizes';

export const kMaxManifest = 1 << 20;
/** The end of the year 9999: it is shown. */
const kMaxTimeMs = 253_402_300_799_999n;
const kMaxEndpoints = 256;
const kMaxOfEndpoint = 64;
const kMaxWebFiles = 4096;
const kMaxText = 1024;
const kMaxPolicy = 256 * 1024;

/** Ed25519, as room keys check it: the worker does it. */
export type VerifySignature = (
  key: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
) => Promise<boolean>;

/** Only verifyManifest makes one. */
export interface VerifiedManifest {
  readonly manifest: Manifest;
  readonly key: Uint8Array;
  /** SHA-256 of the key: what a room's genesis promises. */
  readonly keyHash: Uint8Array;
  /** Of the signed bytes. */
  readonly sha256: Uint8Array;
  readonly relays: RelayList;
}

/** @throws AlcoveError "manifest.invalid", whose message says what is wrong */
export async function verifyManifest(
  signed: SignedManifest,
  verify: VerifySignature,
): Promise<VerifiedManifest> {
  if (signed.manifest.length > kMaxManifest) throw invalid('it is too large');
  if (signed.key.length !== kKeySize) throw invalid('the key has another length');
  if (signed.signature.length !== kSignatureSize) throw invalid('the signature has another length');
  const message = concat(utf8('alcove manifest v1\0'), signed.manifest);
  if (!(await verify(signed.key, message, signed.signature)))
    throw invalid('the signature is wrong');
  const manifest = parse(signed.manifest);
  const fault = faultOf(manifest);
  if (fault !== null) throw invalid(fault);
  const [keyHash, digest] = await Promise.all([sha256(signed.key), sha256(signed.manifest)]);
  return { manifest, key: signed.key, keyHash, sha256: digest, relays: new RelayList(manifest) };
}

export async function sha256(bytes: Uint8Array): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', bytes as BufferSource));
}

function parse(bytes: Uint8Array): Manifest {
  try {
    return fromBinary(ManifestSchema, bytes);
  } catch {
    throw invalid('it cannot be read');
  }
}

/** What is out of bounds; null: nothing. */
function faultOf(manifest: Manifest): string | null {
  if (manifest.version !== 1) return 'its version is not 1';
  if (manifest.createdAtMs < 0n || manifest.createdAtMs > kMaxTimeMs) return 'its time is not one';
  if (manifest.endpoints.length > kMaxEndpoints) return 'it has too many endpoints';
  if (manifest.webFiles.length > kMaxWebFiles) return 'it has too many files';
  if (utf8(manifest.policyToml).length > kMaxPolicy) return 'its policy is too long';
  const badFile = manifest.webFiles.some(
    ({ path, sha256: digest }) => path.length > kMaxText || digest.length !== kHashSize,
  );
  if (badFile) return 'a file is not valid';
  return manifest.endpoints.every(endpointIsValid) ? null : 'an endpoint is not valid';
}

function endpointIsValid({ host, addresses, ports, owner, ...more }: ManifestEndpoint): boolean {
  if (addresses.length > kMaxOfEndpoint || ports.length > kMaxOfEndpoint) return false;
  if (host.length > 253 || /[^a-z0-9.:_-]/.test(host) || owner.length > kMaxText) return false;
  if (!/^([A-Z]{2})?$/.test(more.country) || !/^([A-Z]{2})?$/.test(more.ownerCountry)) return false;
  if (host === '' && addresses.length === 0) return false;
  const portsAreValid = ports.every((port) => port > 0 && port < 65_536);
  return portsAreValid && addresses.every((text) => parseAddress(text) !== null);
}

export function invalid(why: string): AlcoveError {
  return new AlcoveError('failed_precondition', 'manifest.invalid', `The manifest: ${why}`);
}
