// Stands between clients and the server's HTTP port and keeps every byte: what the control plane receives and sends.
import { connect, createServer } from 'node:net';

/** The payloads of a client's WebSocket frames without their masks (RFC 6455, section 5.3), from the first byte after the request's head. */
function unmask(bytes) {
  const parts = [];
  for (let at = 0; at + 2 <= bytes.length;) {
    let length = bytes[at + 1] & 0x7f;
    const masked = (bytes[at + 1] & 0x80) !== 0;
    let head = 2;
    if (length === 126) {
      if (at + 4 > bytes.length) break;
      length = bytes.readUInt16BE(at + 2);
      head = 4;
    } else if (length === 127) {
      if (at + 10 > bytes.length) break;
      length = Number(bytes.readBigUInt64BE(at + 2));
      head = 10;
    }
    const mask = masked ? bytes.subarray(at + head, at + head + 4) : Buffer.alloc(4);
    head += masked ? 4 : 0;
    const payload = Buffer.from(bytes.subarray(at + head, at + head + length));
    for (let i = 0; i < payload.length; i++) payload[i] ^= mask[i % 4];
    parts.push(payload);
    at += head + length;
  }
  return Buffer.concat(parts);
}

export async function recordTraffic(serverPort, port = 0) {
  const connections = [];
  const server = createServer((client) => {
    const upstream = connect(serverPort, '127.0.0.1');
    const record = { up: [], down: [] };
    connections.push(record);
    client.on('data', (data) => record.up.push(data));
    upstream.on('data', (data) => record.down.push(data));
    client.pipe(upstream).pipe(client);
    client.on('error', () => upstream.destroy());
    upstream.on('error', () => client.destroy());
  });
  await new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    port: server.address().port,
    /** [what it is, bytes] of each direction of each connection. */
    streams() {
      return connections.flatMap(({ up, down }, i) => {
        const received = Buffer.concat(up);
        const head = received.indexOf('\r\n\r\n');
        const isWebSocket = received.subarray(0, Math.max(head, 0)).toString('latin1').toLowerCase().includes('upgrade: websocket');
        const plain = isWebSocket ? Buffer.concat([received.subarray(0, head), unmask(received.subarray(head + 4))]) : received;
        return [[`what it received (${i})`, plain], [`what it sent (${i})`, Buffer.concat(down)]];
      });
    },
    close: () => new Promise((resolve) => server.close(resolve)),
  };
}
