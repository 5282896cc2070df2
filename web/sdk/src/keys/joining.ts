// The way in (docs/protocol/room-keys.md, "Joining", 5, and "Resume").

import { create } from '@bufbuild/protobuf';
import { Advance } from '../gen/alcove/v1/keys_pb';
import type { Admitted, LogChain, LogEntry, SignedObject } from '../gen/alcove/v1/keys_pb';
import { AdmitOpSchema, LogOpSchema } from '../gen/alcove/v1/keys_pb';
import { equal } from './bytes';
import { walkChain } from './log_chain';
import type { LogState } from './log_state';
import { isAuthority, isShort } from './log_types';
import type { LogError } from './log_types';
import { hasAdvance, objectHash, parseEntry } from './objects';
import type { Certificate, Entry, Genesis, ObjectError } from './objects';
import type { WholeRoster } from './roster_parts';

export interface Joined {
  log: LogState;
  admit: Entry;
  /** The newest entry with an advance; the admit itself where it has one. */
  newest: Entry;
  head: Entry;
  /** Of the chain, for the record. */
  chain: { authority: Entry[]; advance: Entry };
  /** Of the admit. */
  isAuthority: boolean;
}

/** Walks the chain and the admit that names the own leaf. The epoch is not checked here. */
export function walkAdmitted(
  genesis: Genesis,
  own: Certificate,
  { chain, admit: object }: Admitted,
): Joined | LogError | ObjectError {
  if (chain === undefined || object === undefined) return 'bad_field';
  const walked = walkChain(chain, genesis.fingerprint);
  if (typeof walked === 'string') return walked;
  const { state: log, advance, head } = walked;
  const admit = parseEntry(object);
  if (typeof admit === 'string') return admit;
  if (advance === null || head === null || !admits(admit.body, own)) return 'wrong_state';
  const authority = parseAll(chain.authority);
  const entryClass = log.classOf(admit.body);
  if (!isShort(entryClass) && !equal(admit.body.prevShort, head.hash)) return 'fork';
  const changes = log.apply(admit, 'chain');
  if (typeof changes === 'string') return changes;
  const newest = hasAdvance(admit) ? admit : advance;
  const given = { authority, advance };
  return { log, admit, newest, head, chain: given, isAuthority: isAuthority(entryClass) };
}

function parseAll(objects: readonly SignedObject[]): Entry[] {
  return objects.map(parseEntry).filter((entry) => typeof entry !== 'string');
}

function admits({ ops }: LogEntry, own: Certificate): boolean {
  return ops.some(({ op }) => {
    const certificate = op.case === 'admit' ? op.value.certificate : undefined;
    return certificate !== undefined && equal(objectHash(certificate), own.leafHash);
  });
}

export interface Resume {
  /** Full, before the resume. */
  log: LogState;
  body: LogEntry;
  authority: Entry[];
}

/** The entry with which this client restarts the room, or begins it; not yet signed. */
export function draftResume(
  genesis: Genesis,
  own: Certificate,
  chain: LogChain,
  roster: WholeRoster,
  wallMs: number,
): Resume | LogError {
  const walked = walkChain(chain, genesis.fingerprint);
  if (typeof walked === 'string') return walked;
  const { state: log } = walked;
  if (walked.head !== null) {
    if (roster.head === null) return 'wrong_state';
    const error = log.adoptRoster(roster.certificates, roster.head);
    if (error !== null) return error;
  }
  const inside = log.memberOf(own.identity);
  const onStage = inside !== null && log.onStage(inside.leafHash) !== null;
  const seat = onStage ? 0 : (log.nextFreeSeat() ?? 0);
  const value = create(AdmitOpSchema, { certificate: own.object, seat });
  const body = log.draft({
    author: own.leafHash,
    ops: [create(LogOpSchema, { op: { case: 'admit', value } })],
    advance: Advance.FRESH,
    resume: true,
    timeMs: BigInt(Math.max(0, Math.floor(wallMs))),
  });
  if (typeof body === 'string') return body;
  return { log, body, authority: parseAll(chain.authority) };
}

/** A room without an entry: its host begins it. */
export function isEmpty(chain: LogChain): boolean {
  return chain.authority.length === 0 && chain.head === undefined;
}
