import { AlcoveError } from '../errors';
import type {
  GenesisInit,
  IdentityName,
  JoinInit,
  KeysAnswer,
  KeysCommand,
  KeysFromWorker,
  KeysSnapshot,
  KeysToWorker,
  SignatureInit,
} from './messages';
import type { VerifiedMember } from './view';

/** A worker that hangs must not hang the person: what is asked of it fails after this time. */
const kAnswerTimeoutMs = 20_000;

export interface KeysListener {
  /** A KeysFromClient for the event connection. */
  onToServer(message: Uint8Array<ArrayBuffer>): void;
  onSnapshot(snapshot: KeysSnapshot): void;
}

/** The main thread's side of the keys in the worker. */
export class KeysChannel {
  #listener: KeysListener | null = null;
  #request = 0;
  readonly #pending = new Map<number, (answer: KeysAnswer) => void>();

  constructor(private readonly post: (message: KeysToWorker) => void) {}

  listen(listener: KeysListener): void {
    this.#listener = listener;
  }

  prepare(name: IdentityName): void {
    this.post({ type: 'keys-prepare', name });
  }

  /** A genesis, signed by the identity, and the fragment of the room's link. */
  async genesis(
    name: IdentityName,
    init: GenesisInit,
  ): Promise<{ genesis: Uint8Array; fragment: string }> {
    const answer = await this.#ask((request) => ({ type: 'keys-genesis', request, name, init }));
    if (answer.kind !== 'bytes') throw failure(answer);
    return { genesis: answer.bytes, fragment: answer.fragment };
  }

  /**
   * Whether an Ed25519 signature holds.
   * @throws AlcoveError where the worker does not answer
   */
  async verify(init: SignatureInit): Promise<boolean> {
    const answer = await this.#ask((request) => ({ type: 'keys-verify', request, init }));
    if (answer.kind === 'failed' && answer.reason !== 'bad_signature') throw failure(answer);
    return answer.kind === 'done';
  }

  /** JoinKeys for a new join. */
  async join(init: JoinInit): Promise<Uint8Array<ArrayBuffer>> {
    const answer = await this.#ask((request) => ({ type: 'keys-join', request, init }));
    if (answer.kind !== 'bytes') throw failure(answer);
    return answer.bytes;
  }

  /** The public key of that identity. */
  async identity(name: IdentityName): Promise<Uint8Array> {
    const answer = await this.#ask((request) => ({ type: 'keys-identity', request, name }));
    if (answer.kind !== 'bytes') throw failure(answer);
    return answer.bytes;
  }

  connected(): void {
    this.post({ type: 'keys-connected' });
  }

  disconnected(): void {
    this.post({ type: 'keys-disconnected' });
  }

  fromServer(message: Uint8Array): void {
    this.post({ type: 'keys-from-server', message });
  }

  /** Settles once the worker is not needed for it any more, whatever came of it. */
  async forget(name: IdentityName): Promise<void> {
    await this.#ask((request) => ({ type: 'keys-forget', request, name }));
  }

  /** Settles when the room's log says so. */
  async command(command: KeysCommand): Promise<void> {
    const answer = await this.#command(command);
    if (answer.kind === 'failed') throw failure(answer);
  }

  async roster(): Promise<VerifiedMember[]> {
    const answer = await this.#command({ kind: 'roster' });
    if (answer.kind !== 'roster') throw failure(answer);
    return answer.members;
  }

  async exportLog(): Promise<Uint8Array> {
    const answer = await this.#command({ kind: 'export' });
    if (answer.kind !== 'bytes') throw failure(answer);
    return answer.bytes;
  }

  handle(message: KeysFromWorker): void {
    switch (message.type) {
      case 'keys-to-server':
        this.#listener?.onToServer(message.message);
        break;
      case 'keys-view':
        this.#listener?.onSnapshot(message.snapshot);
        break;
      case 'keys-answer':
        this.#pending.get(message.request)?.(message.answer);
        break;
    }
  }

  #command(command: KeysCommand): Promise<KeysAnswer> {
    return this.#ask((request) => ({ type: 'keys-command', request, command }));
  }

  #ask(message: (request: number) => KeysToWorker): Promise<KeysAnswer> {
    const request = ++this.#request;
    return new Promise((resolve) => {
      const settle = (answer: KeysAnswer) => {
        clearTimeout(timer);
        this.#pending.delete(request);
        resolve(answer);
      };
      const timer = setTimeout(() => {
        settle({ kind: 'failed', reason: 'no_answer' });
      }, kAnswerTimeoutMs);
      this.#pending.set(request, settle);
      this.post(message(request));
    });
  }
}

function failure(answer: KeysAnswer): AlcoveError {
  const reason = answer.kind === 'failed' ? answer.reason : 'bad_answer';
  return new AlcoveError('failed_precondition', `keys.${reason}`, 'The room keys refused this');
}
