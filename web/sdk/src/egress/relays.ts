import { ManifestEndpoint_Protocol, ManifestEndpoint_Purpose } from '../gen/alcove/v1/manifest_pb';
import type { Manifest } from '../gen/alcove/v1/manifest_pb';
import { parseAddress } from './address';

/** The relay endpoints of a manifest: the only places to which a peer connection may send. */
export class RelayList {
  readonly #listed = new Set<string>();

  constructor(manifest: Manifest) {
    for (const endpoint of manifest.endpoints) {
      if (endpoint.purpose !== ManifestEndpoint_Purpose.RELAY) continue;
      const transport = kTransports[endpoint.protocol];
      if (transport === undefined) continue;
      for (const text of endpoint.addresses) {
        const address = parseAddress(text);
        if (address === null) continue;
        for (const port of endpoint.ports) this.#listed.add(nameOf(address, port, transport));
      }
    }
  }

  /** `address`: as parseAddress gives it. */
  has(address: string, port: number, transport: string): boolean {
    return this.#listed.has(nameOf(address, port, transport));
  }
}

const kTransports: Partial<Record<number, string>> = {
  [ManifestEndpoint_Protocol.UDP]: 'udp',
  [ManifestEndpoint_Protocol.TCP]: 'tcp',
};

function nameOf(address: string, port: number, transport: string): string {
  return `${transport} ${address} ${String(port)}`;
}
