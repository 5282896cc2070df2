import type { SignedManifest, TransparencyPage } from '../../sdk/src/gen/alcove/v1/manifest_pb';
import { create } from '@bufbuild/protobuf';
import { GenesisSchema } from '../../sdk/src/gen/alcove/v1/keys_pb';
import type { SignedObject } from '../../sdk/src/gen/alcove/v1/keys_pb';
import { ed25519PublicKey, ed25519Sign, sha256 } from '../../sdk/src/keys/crypto';
import { linkFragmentText } from '../../sdk/src/keys/link';
import { makeGenesis } from '../../sdk/src/keys/objects';
import { TestLog, kManifest, seedOf, signManifest } from '../../sdk/test/manifest/signing';

/** The manifest and the log of a server that pretends. */
export class Promises {
  manifest: SignedManifest = signManifest();
  log = new TestLog().addManifest(this.manifest);
  /** Of the room's link; empty before genesis(). */
  fragment = '';
  /** The manifest cannot be fetched. */
  away = false;

  /** Of a room that was begun under the key of this moment. */
  async genesis(): Promise<SignedObject> {
    const host = seedOf(5);
    const body = create(GenesisSchema, {
      ...{ version: 1, roomId: seedOf(6).subarray(16), host: ed25519PublicKey(host), kind: 1 },
      ...{ packetBucket: 160, createdAtMs: 1_700_000_000_000n },
      manifestKeyHash: sha256(this.manifest.key),
    });
    const sign = (message: Uint8Array) => Promise.resolve(ed25519Sign(host, message));
    const { object, fingerprint } = await makeGenesis(body, sign);
    this.fragment = linkFragmentText({ fingerprint, secret: seedOf(4).subarray(16) });
    return object;
  }

  page(from: number): TransparencyPage {
    return this.log.page(from);
  }

  /** Another key: its change signed by the old one, or out of nowhere. */
  changeKey(isSigned: boolean): void {
    this.manifest = signManifest({}, seedOf(2));
    this.log = isSigned ? this.log.changeKey(seedOf(2)) : new TestLog(seedOf(2));
    this.log.addManifest(this.manifest);
  }

  /** As if what was known of the log had never been. */
  rollBack(): void {
    this.log = new TestLog();
  }

  /** Without rules and without places. */
  empty(): void {
    this.manifest = signManifest({ ...kManifest, policyToml: '', endpoints: [] });
    this.log = new TestLog().addManifest(this.manifest);
  }
}
