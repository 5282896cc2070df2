// The SDK with a room that pretends, so that its pages can be looked at without a relay and without
// keys: run.mjs builds the app with this in the SDK's place.
export * from '../../sdk/src/index';
export { FakeRoomClient as RoomClient } from './fake_room';
