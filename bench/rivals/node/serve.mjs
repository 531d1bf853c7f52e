// The ws package as a server. Prints its address.
// Usage: node --expose-gc serve.mjs echo|broadcast
import { WebSocketServer } from 'ws';

const mode = process.argv[2];
const server = new WebSocketServer({ host: '127.0.0.1', port: 0, maxPayload: 64 << 20 });
server.on('connection', (socket) => {
	socket.on('error', () => {});
	if (mode === 'echo') {
		socket.on('message', (data, binary) => socket.send(data, { binary }));
		return;
	}
	socket.on('message', (data, binary) => {
		for (const receiver of server.clients) receiver.send(data, { binary });
	});
});
server.on('listening', () => console.log(`127.0.0.1:${server.address().port}`));
process.on('SIGUSR2', () => globalThis.gc());
