// A roster comes in parts, one after the other.

import type { RosterPart } from '../gen/alcove/v1/keys_pb';
import { kMaxRoster } from './bounds';
import { parseCertificate, parseEntry } from './objects';
import type { Certificate, Entry } from './objects';

export interface WholeRoster {
  /** In the order of their leaf hashes. */
  certificates: Certificate[];
  /** The newest entry of any class; null in a room that has none. */
  head: Entry | null;
}

export class RosterParts {
  #certificates: Certificate[] = [];

  constructor(private readonly room: Uint8Array) {}

  /** The roster once it is whole; "bad" for a part that is none of ours, with which it begins anew. */
  take(part: RosterPart): WholeRoster | 'more' | 'bad' {
    if (part.first === 0) this.#certificates = [];
    const whole = this.#take(part);
    if (whole !== 'more') this.#certificates = [];
    return whole;
  }

  #take(part: RosterPart): WholeRoster | 'more' | 'bad' {
    if (part.total > kMaxRoster || part.first !== this.#certificates.length) return 'bad';
    if (part.first + part.certificates.length > part.total) return 'bad';
    for (const object of part.certificates) {
      const certificate = parseCertificate(this.room, object);
      if (typeof certificate === 'string') return 'bad';
      this.#certificates.push(certificate);
    }
    if (this.#certificates.length < part.total) {
      return part.certificates.length === 0 ? 'bad' : 'more';
    }
    if (part.head === undefined) return { certificates: this.#certificates, head: null };
    const head = parseEntry(part.head);
    return typeof head === 'string' ? 'bad' : { certificates: this.#certificates, head };
  }
}
