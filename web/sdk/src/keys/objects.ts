// The signed objects of a room (docs/protocol/room-keys.md, "Signed objects"): parsed and checked at
// the edge, built with a key. Mirrors src/roomlog/objects.h.

import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import type { DescMessage, MessageShape } from '@bufbuild/protobuf';
import {
  Advance,
  CertificateSchema,
  GenesisSchema,
  LogEntrySchema,
  SignedObjectSchema,
} from '../gen/alcove/v1/keys_pb';
import type {
  Certificate as CertificateBody,
  Genesis as GenesisBody,
  LogEntry,
  SignedObject,
} from '../gen/alcove/v1/keys_pb';
import {
  certificateFieldsAreValid,
  entryFieldsAreValid,
  genesisFieldsAreValid,
  kMaxCertificateBody,
  kMaxEntryBody,
  kMaxGenesisBody,
} from './bounds';
import { concat, equal, kNoBytes, utf8 } from './bytes';
import { cacheCertificate, cachedCertificate } from './certificate_cache';
import { ed25519KeyIsValid, ed25519Verify, kHashSize, kSignatureSize, sha256 } from './crypto';
import { keepByteOrderMarks } from './text';

keepByteOrderMarks();

export type ObjectError =
  | 'too_long'
  /** Not the message, unknown fields, or another encoding of it. */
  | 'not_canonical'
  /** A size, a number or a text out of its bounds. */
  | 'bad_field'
  | 'bad_signature'
  | 'wrong_room';

export interface Genesis {
  body: GenesisBody;
  object: SignedObject;
  fingerprint: Uint8Array;
  host: Uint8Array;
}

export interface Certificate {
  object: SignedObject;
  leafHash: Uint8Array;
  identity: Uint8Array;
  leaf: Uint8Array;
  encryption: Uint8Array;
  account: string;
  displayName: string;
}

export interface Entry {
  body: LogEntry;
  object: SignedObject;
  /** Of the whole object. */
  hash: Uint8Array;
  /** h */
  bodyHash: Uint8Array;
}

/** With a leaf's key, which this worker holds. */
export type Sign = (message: Uint8Array) => Uint8Array;
/** With an identity's key, which the browser may hold for us. */
export type IdentitySign = (message: Uint8Array) => Promise<Uint8Array> | Uint8Array;

export function hasAdvance(entry: Entry): boolean {
  return entry.body.advance !== Advance.NONE;
}

/** What the signature of an object is over. */
export function signedBytes(
  type: 'genesis' | 'certificate' | 'entry' | 'resume',
  context: Uint8Array,
  body: Uint8Array,
  confirm: Uint8Array,
): Uint8Array {
  return concat(utf8(`alcove 1 ${type}\0`), context, body, confirm);
}

export function objectHash(object: SignedObject): Uint8Array {
  return sha256(object.body, object.confirm, object.signature);
}

/** Signature and all fields are checked. */
export function parseGenesis(given: SignedObject): Genesis | ObjectError {
  const object = cleanCopy(given);
  const fault = shapeFault(object, kMaxGenesisBody);
  if (fault !== null) return fault;
  if (object.confirm.length !== 0) return 'bad_field';
  const body = decode(GenesisSchema, object.body);
  if (body === null) return 'not_canonical';
  if (!genesisFieldsAreValid(body)) return 'bad_field';
  const message = signedBytes('genesis', kNoBytes, object.body, kNoBytes);
  if (!ed25519Verify(body.host, message, object.signature)) return 'bad_signature';
  return { body, object, fingerprint: objectHash(object), host: body.host };
}

/** `room`: its fingerprint. Signature and all fields are checked. */
export function parseCertificate(room: Uint8Array, given: SignedObject): Certificate | ObjectError {
  // The hash alone does not say where the body ends.
  const isWhole = given.confirm.length === 0 && given.signature.length === kSignatureSize;
  const known = isWhole ? cachedCertificate(room, objectHash(given)) : null;
  if (known !== null) return known;
  const certificate = readCertificate(room, given);
  if (typeof certificate === 'string') return certificate;
  const { object, identity } = certificate;
  const message = signedBytes('certificate', room, object.body, kNoBytes);
  if (!ed25519Verify(identity, message, object.signature)) return 'bad_signature';
  cacheCertificate(room, certificate);
  return certificate;
}

/** The same without the signature: of listeners' certificates, for who has no roster. */
export function readCertificate(room: Uint8Array, given: SignedObject): Certificate | ObjectError {
  const object = cleanCopy(given);
  const fault = shapeFault(object, kMaxCertificateBody);
  if (fault !== null) return fault;
  if (object.confirm.length !== 0) return 'bad_field';
  const body = decode(CertificateSchema, object.body);
  if (body === null) return 'not_canonical';
  if (!certificateFieldsAreValid(body) || !ed25519KeyIsValid(body.leaf)) return 'bad_field';
  if (!equal(body.roomFingerprint, room)) return 'wrong_room';
  return certificateOf(body, object);
}

/** The identity that a certificate names, not verified; null where there is none. */
export function claimedIdentity(certificate: SignedObject | undefined): Uint8Array | null {
  return certificate === undefined
    ? null
    : (decode(CertificateSchema, certificate.body)?.identity ?? null);
}

/** Everything but what needs the log's state: the signature is checked by LogState. */
export function parseEntry(given: SignedObject): Entry | ObjectError {
  const object = cleanCopy(given);
  const fault = shapeFault(object, kMaxEntryBody);
  if (fault !== null) return fault;
  const body = decode(LogEntrySchema, object.body);
  if (body === null) return 'not_canonical';
  const confirmSize = body.advance === Advance.NONE ? 0 : kHashSize;
  if (!entryFieldsAreValid(body) || object.confirm.length !== confirmSize) return 'bad_field';
  return entryOf(body, object);
}

export async function makeGenesis(body: GenesisBody, host: IdentitySign): Promise<Genesis> {
  const bytes = toBinary(GenesisSchema, body, { writeUnknownFields: false });
  const signature = await host(signedBytes('genesis', kNoBytes, bytes, kNoBytes));
  const object = signedObject(bytes, kNoBytes, signature);
  return { body, object, fingerprint: objectHash(object), host: body.host };
}

export async function makeCertificate(
  room: Uint8Array,
  body: CertificateBody,
  identity: IdentitySign,
): Promise<Certificate> {
  const bytes = toBinary(CertificateSchema, body, { writeUnknownFields: false });
  const signature = await identity(signedBytes('certificate', room, bytes, kNoBytes));
  return certificateOf(body, signedObject(bytes, kNoBytes, signature));
}

/** The bytes of a body: what h and the signature are over. */
export function entryBytes(body: LogEntry): Uint8Array {
  return toBinary(LogEntrySchema, body, { writeUnknownFields: false });
}

/** `confirm`: empty without an advance. `leaf`: the author's leaf key. */
export function makeEntry(
  room: Uint8Array,
  body: LogEntry,
  confirm: Uint8Array,
  leaf: Sign,
): Entry {
  const bytes = entryBytes(body);
  const signature = leaf(signedBytes('entry', room, bytes, confirm));
  return entryOf(body, signedObject(bytes, confirm, signature));
}

/** An entry with `resume`, signed by the author's identity. */
export async function makeResumeEntry(
  room: Uint8Array,
  body: LogEntry,
  confirm: Uint8Array,
  identity: IdentitySign,
): Promise<Entry> {
  const bytes = entryBytes(body);
  const signature = await identity(signedBytes('resume', room, bytes, confirm));
  return entryOf(body, signedObject(bytes, confirm, signature));
}

function signedObject(body: Uint8Array, confirm: Uint8Array, signature: Uint8Array): SignedObject {
  return create(SignedObjectSchema, { body, confirm, signature });
}

function certificateOf(body: CertificateBody, object: SignedObject): Certificate {
  return {
    object,
    leafHash: objectHash(object),
    identity: body.identity,
    leaf: body.leaf,
    encryption: body.encryption,
    account: body.account,
    displayName: body.displayName,
  };
}

function entryOf(body: LogEntry, object: SignedObject): Entry {
  return { body, object, hash: objectHash(object), bodyHash: sha256(object.body) };
}

/** Only the three fields, as bytes of their own: what came around them is neither hashed nor kept. */
function cleanCopy({ body, confirm, signature }: SignedObject): SignedObject {
  return signedObject(body.slice(), confirm.slice(), signature.slice());
}

/** The rules of all objects. */
function shapeFault(object: SignedObject, maxBody: number): ObjectError | null {
  if (object.body.length > maxBody) return 'too_long';
  return object.signature.length === kSignatureSize ? null : 'bad_field';
}

/** The message, if these are the bytes that encoding it gives. */
function decode<Desc extends DescMessage>(
  schema: Desc,
  bytes: Uint8Array,
): MessageShape<Desc> | null {
  try {
    // Unknown fields are left out of what is encoded again, so bytes with any differ from it.
    const message = fromBinary(schema, bytes, { readUnknownFields: false });
    return equal(toBinary(schema, message), bytes) ? message : null;
  } catch {
    return null;
  }
}
