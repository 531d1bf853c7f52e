// The socket.io package as a server, with a heartbeat of so many milliseconds. Prints
// its address.
// Usage: node --expose-gc socketio.mjs 10000
import { createServer } from 'node:http';
import { Server } from 'socket.io';

const server = createServer();
const io = new Server(server, { serveClient: false, transports: ['websocket'], pingInterval: Number(process.argv[2]) });
io.on('connection', (socket) => {
	socket.join('room');
	socket.on('echo', (text, ack) => ack(text));
	socket.on('say', (text) => io.to('room').emit('say', text));
});
server.listen(0, '127.0.0.1', () => console.log(`127.0.0.1:${server.address().port}`));
process.on('SIGUSR2', () => globalThis.gc());
