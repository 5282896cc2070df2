import { Microphone } from '@alcove/sdk';
import workletUrl from '@alcove/sdk/voice-worklet?worker&url';

const kDeviceKey = 'alcove.microphone';

function rememberedDevice(): string {
  try {
    return localStorage.getItem(kDeviceKey) ?? '';
  } catch {
    return '';
  }
}

function rememberDevice(deviceId: string): void {
  try {
    localStorage.setItem(kDeviceKey, deviceId);
  } catch {
    // Asked again next time.
  }
}

/** Opens the microphone that was used last, or the one asked for, and remembers it. */
export async function openMicrophone(deviceId?: string): Promise<Microphone> {
  const microphone = await Microphone.open(workletUrl, deviceId ?? rememberedDevice());
  if (deviceId !== undefined) rememberDevice(deviceId);
  return microphone;
}
