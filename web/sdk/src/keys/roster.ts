// The roster, and what an entry changes in it beside the state: 5,000 certificates are not copied for
// every entry. Mirrors src/roomlog/roster_view.h.

import { compare, toHex } from './bytes';
import { kHashSize, sha256 } from './crypto';
import type { Certificate } from './objects';

/** Everybody who is in, in the order of leaf hashes. */
export class Roster {
  readonly #byLeaf = new Map<string, Certificate>();
  /** Of an identity the leaf, in hexadecimal. */
  readonly #leafOf = new Map<string, string>();
  /** Leaf hashes in ascending order, joined: what the roster's hash is over. */
  #leaves = new Uint8Array(0);

  /** Of certificates in the order of their leaf hashes, each of another identity. */
  static ofOrdered(
    certificates: readonly Certificate[],
  ): Roster | 'wrong_state' | 'bad_certificate' {
    const changes: RosterChange[] = [];
    for (const [i, certificate] of certificates.entries()) {
      const before = certificates[i - 1];
      if (before && compare(before.leafHash, certificate.leafHash) >= 0) return 'wrong_state';
      changes.push({ leaf: certificate.leafHash, certificate });
    }
    const roster = new Roster();
    roster.commit(changes);
    return roster.#leafOf.size === certificates.length ? roster : 'bad_certificate';
  }

  clone(): Roster {
    const copy = new Roster();
    for (const [leaf, certificate] of this.#byLeaf) copy.#byLeaf.set(leaf, certificate);
    for (const [identity, leaf] of this.#leafOf) copy.#leafOf.set(identity, leaf);
    copy.#leaves = this.#leaves;
    return copy;
  }

  get size(): number {
    return this.#byLeaf.size;
  }

  get leaves(): Uint8Array {
    return this.#leaves;
  }

  find(leaf: Uint8Array): Certificate | null {
    return this.#byLeaf.get(toHex(leaf)) ?? null;
  }

  findIdentity(identity: Uint8Array): Certificate | null {
    const leaf = this.#leafOf.get(toHex(identity));
    return leaf === undefined ? null : (this.#byLeaf.get(leaf) ?? null);
  }

  /** In the order of leaf hashes. */
  certificates(): Certificate[] {
    const all: Certificate[] = [];
    for (let at = 0; at < this.#leaves.length; at += kHashSize) {
      const certificate = this.find(this.#leaves.subarray(at, at + kHashSize));
      if (certificate !== null) all.push(certificate);
    }
    return all;
  }

  hash(): Uint8Array {
    return sha256(this.#leaves);
  }

  /** Takes over changes, in the order of leaf hashes: what a view of this roster yields. */
  commit(changes: readonly RosterChange[]): void {
    if (changes.length === 0) return;
    this.#leaves = mergeLeaves(this.#leaves, changes);
    // First who goes: who replaces somebody has the same identity.
    for (const { leaf, certificate } of changes) {
      const name = toHex(leaf);
      const gone = this.#byLeaf.get(name);
      if (certificate !== null || gone === undefined) continue;
      this.#byLeaf.delete(name);
      this.#leafOf.delete(toHex(gone.identity));
    }
    for (const { leaf, certificate } of changes) {
      if (certificate === null) continue;
      const name = toHex(leaf);
      this.#byLeaf.set(name, certificate);
      this.#leafOf.set(toHex(certificate.identity), name);
    }
  }
}

export interface RosterChange {
  leaf: Uint8Array;
  /** Null: it is out. */
  certificate: Certificate | null;
}

export class RosterView {
  readonly #changes = new Map<string, RosterChange>();
  #size: number;

  /** Null: of who does not have the roster, where nothing in it can be asked. */
  constructor(private readonly base: Roster | null) {
    this.#size = base?.size ?? 0;
  }

  get isKnown(): boolean {
    return this.base !== null;
  }

  get size(): number {
    return this.#size;
  }

  get isChanged(): boolean {
    return this.#changes.size > 0;
  }

  find(leaf: Uint8Array): Certificate | null {
    const changed = this.#changes.get(toHex(leaf));
    return changed === undefined ? (this.base?.find(leaf) ?? null) : changed.certificate;
  }

  findIdentity(identity: Uint8Array): Certificate | null {
    for (const { certificate } of this.#changes.values()) {
      if (certificate !== null && compare(certificate.identity, identity) === 0) return certificate;
    }
    const found = this.base?.findIdentity(identity) ?? null;
    return found === null || this.#changes.has(toHex(found.leafHash)) ? null : found;
  }

  /** Its leaf and identity are not in the roster. Without the roster this does nothing. */
  add(certificate: Certificate): void {
    if (this.base === null) return;
    const name = toHex(certificate.leafHash);
    this.#changes.set(name, { leaf: certificate.leafHash, certificate });
    ++this.#size;
  }

  /** The leaf is in the roster. Without the roster this does nothing. */
  remove(leaf: Uint8Array): void {
    if (this.base === null) return;
    const name = toHex(leaf);
    this.#changes.set(name, { leaf, certificate: null });
    --this.#size;
  }

  /** In the order of leaf hashes. */
  changes(): RosterChange[] {
    return [...this.#changes.values()].sort((left, right) => compare(left.leaf, right.leaf));
  }

  /** H(leaf hashes in ascending order, joined). */
  hash(): Uint8Array {
    return sha256(mergeLeaves(this.base?.leaves ?? new Uint8Array(0), this.changes()));
  }
}

/** `changes` in the order of leaf hashes. Whole stretches between them are copied at once. */
function mergeLeaves(
  leaves: Uint8Array<ArrayBuffer>,
  changes: readonly RosterChange[],
): Uint8Array<ArrayBuffer>;
function mergeLeaves(leaves: Uint8Array, changes: readonly RosterChange[]): Uint8Array;
function mergeLeaves(leaves: Uint8Array, changes: readonly RosterChange[]): Uint8Array {
  if (changes.length === 0) return leaves;
  const out = new Uint8Array(leaves.length + changes.length * kHashSize);
  let from = 0;
  let to = 0;
  const copy = (bytes: Uint8Array) => {
    out.set(bytes, to);
    to += bytes.length;
  };
  for (const { leaf, certificate } of changes) {
    const at = lowerBound(leaves, leaf);
    copy(leaves.subarray(from, at));
    const found = at < leaves.length && compare(leaves.subarray(at, at + kHashSize), leaf) === 0;
    from = found ? at + kHashSize : at;
    if (certificate !== null) copy(leaf);
  }
  copy(leaves.subarray(from));
  return out.slice(0, to);
}

/** Where the first leaf that is not before this one begins. */
function lowerBound(leaves: Uint8Array, leaf: Uint8Array): number {
  let low = 0;
  let high = leaves.length / kHashSize;
  while (low < high) {
    const middle = (low + high) >> 1;
    const at = middle * kHashSize;
    if (compare(leaves.subarray(at, at + kHashSize), leaf) < 0) low = middle + 1;
    else high = middle;
  }
  return low * kHashSize;
}
