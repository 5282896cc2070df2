// A house that would send its clients elsewhere: stands in front of the real server and changes what it says, as an evil
// operator or somebody on the way could.
//   node hostile_house.mjs ADDRESS PORT UPSTREAM_PORT
// Each line on standard input is the tampering from then on, as JSON:
//   candidate: an a=candidate line for every SDP answer; manifest: "other-key" (signed anew, with the denied relay), "changed"
//   (the denied relay, without a new signature); redirect: parts of paths that are answered with a redirect; ice: ICE servers in
//   every answer; event: a candidate as a message on the event connection; denied: the address that all of this leads to.
import { generateKeyPairSync, sign } from 'node:crypto';
import { createServer, request as ask } from 'node:http';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { bytesField, changeField, field, numberField, varint } from './protobuf.mjs';

const [address, port, upstreamPort] = process.argv.slice(2);
let tampering = {};
createInterface({ input: process.stdin }).on('line', (line) => {
  tampering = JSON.parse(line);
  console.log('set');
});
const otherKey = generateKeyPairSync('ed25519');
const otherPublic = otherKey.publicKey.export({ type: 'spki', format: 'der' }).subarray(-32);

const insertCandidate = (sdp) => {
  const text = sdp.toString();
  const place = text.indexOf('a=candidate:');
  return place < 0 ? text : `${text.slice(0, place)}${tampering.candidate}\r\n${text.slice(place)}`;
};

/** The denied host as a relay of the manifest, on UDP and TCP. */
const deniedRelay = () => Buffer.concat([1, 2].map((protocol) => bytesField(4, Buffer.concat([
  numberField(1, 2), bytesField(3, tampering.denied), bytesField(4, varint(7878)), numberField(5, protocol),
]))));

/** The three fields of a SignedManifest, changed. */
function changeManifest({ manifest, key, signature }) {
  const more = Buffer.concat([manifest, deniedRelay()]);
  if (tampering.manifest === 'changed') return { manifest: more, key, signature };
  const signed = Buffer.concat([Buffer.from('alcove manifest v1\0'), more]);
  return { manifest: more, key: otherPublic, signature: sign(null, signed, otherKey.privateKey) };
}

function changeJson(path, body) {
  const message = JSON.parse(body.toString());
  if (tampering.candidate && message.sdpAnswer) message.sdpAnswer = insertCandidate(message.sdpAnswer);
  if (tampering.ice) {
    message.iceServers = [{ urls: [`stun:${tampering.denied}:3478`] }];
    message.rtcConfiguration = { iceServers: message.iceServers };
  }
  if (tampering.manifest && path.endsWith('/manifest')) {
    const parts = changeManifest(Object.fromEntries(['manifest', 'key', 'signature'].map((name) => [name, Buffer.from(message[name], 'base64')])));
    for (const [name, bytes] of Object.entries(parts)) message[name] = bytes.toString('base64');
  }
  return Buffer.from(JSON.stringify(message));
}

function changeBinary(path, body) {
  let message = body;
  const answer = path.endsWith('/join') ? 2 : path.endsWith('/restart') ? 1 : 0;
  if (tampering.candidate && answer) message = changeField(message, answer, insertCandidate);
  if (tampering.ice) message = Buffer.concat([message, bytesField(200, `stun:${tampering.denied}:3478`)]);
  if (tampering.manifest && path.endsWith('/manifest')) {
    const parts = changeManifest({ manifest: field(message, 1), key: field(message, 2), signature: field(message, 3) });
    message = Buffer.concat([bytesField(1, parts.manifest), bytesField(2, parts.key), bytesField(3, parts.signature)]);
  }
  return message;
}

function change(path, type, body) {
  try {
    if (type.startsWith('application/json')) return changeJson(path, body);
    if (type.startsWith('application/protobuf')) return changeBinary(path, body);
  } catch (error) {
    console.error(`${path}: ${error.message}`);
  }
  return body;
}

const redirects = (path) => (tampering.redirect ?? []).some((part) => path.includes(part));
const elsewhere = (path) => `http://${tampering.denied}:8080${path}`;

const server = createServer((request, response) => {
  if (redirects(request.url)) {
    response.writeHead(307, { location: elsewhere(request.url) });
    return void response.end();
  }
  // Nothing is answered from a cache of before: each visit sees the tampering of now.
  const headers = { ...request.headers, 'accept-encoding': 'identity' };
  delete headers['if-none-match'];
  const upstream = ask({ host: address, port: upstreamPort, method: request.method, path: request.url, headers }, (answer) => {
    const parts = [];
    answer.on('data', (part) => parts.push(part));
    answer.on('end', () => {
      const body = change(request.url, answer.headers['content-type'] ?? '', Buffer.concat(parts));
      const kept = { ...answer.headers, 'content-length': body.length };
      delete kept['transfer-encoding'];
      response.writeHead(answer.statusCode, kept);
      response.end(body);
    });
  });
  upstream.on('error', () => response.destroy());
  request.pipe(upstream);
});

/** A binary frame of the event connection with a candidate in it, in a field that no client knows. */
function candidateFrame() {
  const text = bytesField(200, `candidate:9 1 udp 1 ${tampering.denied} 7878 typ host`);
  return Buffer.concat([Buffer.from([0x82, text.length]), text]);
}

server.on('upgrade', (request, client) => {
  if (redirects(request.url)) return client.end(`HTTP/1.1 307 Temporary Redirect\r\nLocation: ${elsewhere(request.url)}\r\nContent-Length: 0\r\n\r\n`);
  const upstream = connect(upstreamPort, address);
  const head = [`${request.method} ${request.url} HTTP/1.1`];
  for (let i = 0; i < request.rawHeaders.length; i += 2) head.push(`${request.rawHeaders[i]}: ${request.rawHeaders[i + 1]}`);
  upstream.write(`${head.join('\r\n')}\r\n\r\n`);
  let received = Buffer.alloc(0);
  const onData = (data) => {
    received = Buffer.concat([received, data]);
    const end = received.indexOf('\r\n\r\n');
    if (end < 0) return;
    upstream.off('data', onData);
    client.write(received.subarray(0, end + 4));
    if (tampering.event) client.write(candidateFrame());
    client.write(received.subarray(end + 4));
    upstream.pipe(client);
  };
  upstream.on('data', onData);
  client.pipe(upstream);
  client.on('error', () => upstream.destroy());
  upstream.on('error', () => client.destroy());
  client.on('close', () => upstream.destroy());
});
server.listen(Number(port), address, () => console.log('ready'));
