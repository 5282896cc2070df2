// A client built to leak, as one of 2021 did: run inside of a network namespace, with the addresses to talk to as JSON.
// What it lets out, and where, is what audit.e2e.mjs expects to be found.
import { createSocket } from 'node:dgram';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';

const { elsewhere, identifiers } = JSON.parse(process.argv[2]);
const [userId, roomId] = identifiers;
const device = 'iPhone/iPhone9,3/iOS/14.2';
const token = '0061f8ac04be9d24c5fb7a90c3e9d1e62a7IABx0nU5bMp2Qm8c1rT0Wq6zvYkz5uY3sYl7V0oQe3G1CMhOQbcAAAAAEABu7c9xV0RoYAEAAQBXRGhg';

const udp = createSocket('udp4');
await new Promise((resolve) => udp.bind(50009, resolve));
const send = (bytes, port, address) => new Promise((resolve, reject) => udp.send(bytes, port, address, (e) => (e ? reject(e) : resolve())));

const tlv = (key, value) => {
  const bytes = Buffer.from(value, 'latin1');
  const head = Buffer.alloc(4);
  head.writeUInt16LE(key, 0);
  head.writeUInt16LE(bytes.length, 2);
  return Buffer.concat([head, bytes]);
};
const preamble = Buffer.from([0x77, 0x01, 0, 0, 0x0f, 0]);
const bootstrap = Buffer.concat([preamble, tlv(1, '3.0.1.1'), tlv(2, 'WIFI'), tlv(3, device), Buffer.alloc(163)]).subarray(0, 163);
const join = Buffer.concat([preamble, tlv(1, '3.0.1.1'), tlv(2, 'WIFI'), tlv(3, device), tlv(4, roomId), tlv(5, userId), tlv(6, '198.51.100.50'), tlv(7, token)]);

/** Over TCP: connects, sends, waits for the end. */
const tell = (address, port, bytes) => new Promise((resolve) => {
  const socket = connect(port, address, () => socket.end(bytes));
  socket.on('error', resolve);
  socket.on('close', resolve);
  socket.resume();
});

/** A question in clear, to a resolver outside. */
function question(name) {
  const labels = name.split('.').flatMap((label) => [Buffer.from([label.length]), Buffer.from(label)]);
  return Buffer.concat([Buffer.from([0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]), ...labels, Buffer.from([0, 0, 1, 0, 1])]);
}

/** ITU-T G.711, table 2a. */
function muLaw(sample) {
  const magnitude = Math.min(Math.abs(sample), 32635) + 132;
  const exponent = 31 - Math.clz32(magnitude) - 7;
  return ~((sample < 0 ? 0x80 : 0) | (exponent << 4) | ((magnitude >> (exponent + 3)) & 15)) & 0xff;
}

function speech() {
  const samples = [];
  for (const name of ['Front_Center', 'Front_Left', 'Rear_Center', 'Side_Right']) {
    const wav = readFileSync(`/usr/share/sounds/alsa/${name}.wav`);
    const begin = wav.indexOf('data') + 8;
    for (let i = begin; i + 12 <= wav.length; i += 12) samples.push((wav.readInt16LE(i) + wav.readInt16LE(i + 4) + wav.readInt16LE(i + 8)) / 3);
  }
  return samples.map(Math.round);
}

async function speak(address, port) {
  const samples = speech();
  const ssrc = 0x5eed1234;
  for (let n = 0; n < 250 && (n + 1) * 160 <= samples.length; n++) {
    const packet = Buffer.alloc(172);
    packet[0] = 0x80;
    packet.writeUInt16BE(1000 + n, 2);
    packet.writeUInt32BE(n * 160, 4);
    packet.writeUInt32BE(ssrc, 8);
    for (let i = 0; i < 160; i++) packet[12 + i] = muLaw(samples[n * 160 + i]);
    await send(packet, port, address);
    await wait(20);
  }
}

function rtcp() {
  const name = Buffer.from(`uid-${userId}@phone`);
  const item = Buffer.alloc(Math.ceil((4 + 2 + name.length + 1) / 4) * 4);
  item.writeUInt32BE(0x5eed1234, 0);
  item[4] = 1;
  item[5] = name.length;
  name.copy(item, 6);
  const report = Buffer.alloc(28);
  report.set([0x80, 200, 0, 6, 0x5e, 0xed, 0x12, 0x34]);
  return Buffer.concat([report, Buffer.from([0x81, 202, 0, item.length / 4]), item]);
}

await send(question('qos-america.leaky.example'), 53, elsewhere.plainHouse);
const body = JSON.stringify({ channel: roomId });
await tell(elsewhere.plainHouse, 80, `POST /api/join_channel HTTP/1.1\r\nHost: www.leaky.example\r\nCH-UserID: ${userId}\r\nAuthorization: Token 7c1e0f93a5b84d62c7d19e0fa3b58264c1d7e9f0\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
await send(bootstrap, 8000, elsewhere.deniedCountry);
await tell(elsewhere.deniedCountry, 8000, bootstrap);
for (let i = 0; i < 5; i++) await send(Buffer.concat([Buffer.from([1, 1, 0, i]), Buffer.from(userId), Buffer.alloc(34)]), 25000, elsewhere.deniedCountry);
await send(join, 4001, elsewhere.deniedOwner);
await send(Buffer.from('{"rtc.user_set_channel_profile":1}X\u0001'), 4001, elsewhere.deniedOwner);
await speak(elsewhere.deniedOwner, 4002);
await send(rtcp(), 4002, elsewhere.deniedOwner);
await send(Buffer.alloc(60, 7), 4003, elsewhere.anycast);
udp.close();
