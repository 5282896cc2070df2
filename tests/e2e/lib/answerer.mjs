// Takes TCP connections and datagrams at every address given as address:port, and answers, so that a leaky client goes on.
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';

for (const place of process.argv.slice(2)) {
  const [address, port] = place.split(':');
  createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'));
  }).listen(Number(port), address);
  const udp = createSocket('udp4', (_, from) => udp.send(Buffer.alloc(59, 1), from.port, from.address));
  udp.bind(Number(port), address);
}
console.log('ready');
