import type { ApiClient } from '../api';
import { AlcoveError } from '../errors';
import type { RoomKind, ServerConfig } from '../gen/alcove/v1/common_pb';
import type { StartRoomResponse } from '../gen/alcove/v1/rooms_pb';
import type { ManifestKeeper } from '../manifest/keeper';
import { takeTransforms } from '../media/spare_transforms';
import type { TransformHost } from '../media/transform_host';
import { keepLinkFragment } from './link_fragment';

export interface StartRoomOptions {
  api: ApiClient;
  config: ServerConfig;
  manifest: ManifestKeeper;
  createWorker: () => Worker;
}

/**
 * The worker that signed the last genesis: where the browser keeps no keys, the host's identity lives as long
 * as it does.
 */
let started: { roomId: string; transforms: TransformHost } | null = null;

/**
 * Begins a room: its genesis is made and signed on this device, and the fragment of its link is kept for the
 * visit, where the RoomClient finds it.
 * @throws AlcoveError
 */
export async function startRoom(
  { api, config, manifest, createWorker }: StartRoomOptions,
  title: string,
  kind: RoomKind,
): Promise<StartRoomResponse> {
  const session = api.session.load();
  if (session === null || session.guest) {
    throw new AlcoveError('permission_denied', 'account.required', 'Rooms are begun by accounts');
  }
  // The server may have changed its key since the page began: the room promises the one of now.
  await manifest.refresh();
  const { keyHash: manifestKeyHash } = await manifest.ready();
  const transforms = takeTransforms(createWorker);
  try {
    const { genesis, fragment } = await transforms.keys.genesis(
      { account: session.accountId, visit: '' },
      { kind, packetBucket: config.packetBucket, manifestKeyHash, createdAtMs: Date.now() },
    );
    const response = await api.startRoom(title, genesis);
    if (response.room !== undefined) {
      const { roomId } = response.room;
      keepLinkFragment(roomId, fragment);
      started?.transforms.close();
      started = { roomId, transforms };
    }
    return response;
  } catch (thrown) {
    transforms.close();
    throw thrown;
  }
}

/** The worker that began this room, for the one client that joins it. */
export function takeStarted(roomId: string): TransformHost | null {
  if (started?.roomId !== roomId) return null;
  const { transforms } = started;
  started = null;
  return transforms;
}
