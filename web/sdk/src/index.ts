export { ApiClient } from './api';
export type { ApiOptions, CommandInit } from './api';
export { EgressError } from './egress/error';
export * from './errors';
export * from './observable';
export * from './session';
export { ElementAudioSink } from './media/audio_sink';
export type { AudioOutput, AudioSink } from './media/audio_sink';
export { Microphone, MicrophoneError, listMicrophones, microphoneFault } from './media/microphone';
export type { MicrophoneDevice, MicrophoneFault } from './media/microphone';
export type { Diagnosis } from './media/stats';
export { canTransformFrames, unsupportedReason } from './media/transform_host';
export { spareTransforms } from './media/spare_transforms';
export { ManifestKeeper } from './manifest/keeper';
export type { KeyState, ManifestState } from './manifest/keeper';
export type { LogFault } from './manifest/log';
export { WebPinStore } from './manifest/pins';
export { ManifestEndpoint_Purpose } from './gen/alcove/v1/manifest_pb';
export type { Manifest, ManifestEndpoint } from './gen/alcove/v1/manifest_pb';
export { isOnStage } from './room/reducer';
export type { RoomNotice } from './room/reducer';
export { readLinkFragment } from './room/link_fragment';
export { RoomClient } from './room/room_client';
export type { RoomClientOptions } from './room/link_types';
export { startRoom } from './room/start_room';
export type { StartRoomOptions } from './room/start_room';
export { isOver } from './room/view';
export type { RoomPhase, RoomView } from './room/view';
export { ServerConfig_Registration } from './gen/alcove/v1/common_pb';
export type { ServerConfig } from './gen/alcove/v1/common_pb';
export { Role, RoomKind } from './gen/alcove/v1/common_pb';
export { Reaction } from './gen/alcove/v1/rooms_pb';
export type {
  KeyCommands,
  KeyWarning,
  KeyWarningCode,
  KeysView,
  VerifiedMember,
} from './keys/view';
export type { Member, RoomState, RoomSummary } from './gen/alcove/v1/rooms_pb';
export type { Session } from './gen/alcove/v1/accounts_pb';
