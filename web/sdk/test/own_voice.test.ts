import { expect, test, vi } from 'vitest';
import type { Microphone } from '../src/media/microphone';
import type { TransformHost } from '../src/media/transform_host';
import { OwnVoice } from '../src/room/own_voice';
import type { RoomView } from '../src/room/view';

function makeVoice() {
  const transforms = { setVoicePort: vi.fn(), setGate: vi.fn() } as unknown as TransformHost;
  const view = { muted: true, phase: 'connected', room: {} } as unknown as RoomView;
  return new OwnVoice(transforms, {
    view: () => view,
    patch: () => undefined,
    setTrack: () => Promise.resolve(),
    tellMuted: () => Promise.resolve(1n),
  });
}

function makeMicrophone() {
  const close = vi.fn();
  const microphone = {
    track: null,
    takeVoicePort: () => null,
    setEnabled: () => undefined,
    onEnded: () => undefined,
    close,
  } as unknown as Microphone;
  return { microphone, close };
}

test('a microphone in use is closed with the room', async () => {
  const voice = makeVoice();
  const { microphone, close } = makeMicrophone();
  await voice.setMicrophone(microphone);
  expect(close).not.toHaveBeenCalled();
  voice.close();
  expect(close).toHaveBeenCalledOnce();
});

test('a microphone that comes when the room is over is closed at once', async () => {
  const voice = makeVoice();
  const { microphone, close } = makeMicrophone();
  voice.close();
  await voice.setMicrophone(microphone);
  expect(close).toHaveBeenCalledOnce();
  expect(voice.track).toBeNull();
});
