import { checkAnswer } from '../egress/peer';
import type { CheckedAnswer } from '../egress/peer';
import type { ManifestKeeper } from '../manifest/keeper';
import type { VerifiedManifest } from '../manifest/verify';
import { withTimeout } from '../timing';

/** For a fresh manifest, while the connection waits. */
const kRefreshMs = 5_000;

export interface Promised {
  keyHash: Uint8Array;
  byLink: boolean;
}

/** Holds the relay's answers against the manifest that the room was entered with. */
export class AnswerCheck {
  #manifest: VerifiedManifest | null = null;

  constructor(
    private readonly keeper: ManifestKeeper,
    private readonly promised: () => Promise<Promised>,
  ) {}

  /**
   * Before a join: the manifest must be the one that the room promises.
   * @throws AlcoveError
   */
  async begin(): Promise<VerifiedManifest> {
    const { keyHash, byLink } = await this.promised();
    this.#manifest = await this.keeper.readyFor(keyHash, byLink);
    return this.#manifest;
  }

  /**
   * The answer as the browser may have it, and the manifest that lists all of it.
   * @throws EgressError where an address is in no manifest of the server's key
   * @throws AlcoveError "unavailable" where a newer manifest cannot be had now
   */
  async check(
    answer: string,
    signal: AbortSignal,
  ): Promise<{ sdp: CheckedAnswer; manifest: VerifiedManifest }> {
    const manifest = this.#manifest ?? (await this.begin());
    try {
      return { sdp: checkAnswer(answer, manifest), manifest };
    } catch (thrown) {
      // The server may have another relay since the page began, and have said so.
      const failed = await withTimeout(() => this.keeper.refresh(), kRefreshMs, signal);
      if (failed !== null) throw failed.code === 'unavailable' ? failed : thrown;
      const fresh = await this.begin();
      return { sdp: checkAnswer(answer, fresh), manifest: fresh };
    }
  }
}
