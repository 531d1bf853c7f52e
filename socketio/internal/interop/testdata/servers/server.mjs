// An official server for the scenarios. Prints its port.
//
// Usage: node server.mjs VERSION [msgpack] [PORT]
import { createServer } from 'node:http';

const [, , version, parserName, port] = process.argv;
const module = await import(`server${version}`);
const http = createServer();
const options = {
	...(parserName === 'msgpack' && { parser: (await import('socket.io-msgpack-parser')).default }),
	...(version === '4' && { connectionStateRecovery: {} }),
};
const io = version === '2' ? module.default(http, options) : new module.Server(http, options);

function handle(namespace, socket) {
	socket.on('echo', (...args) => socket.emit('back', ...args));
	socket.on('echo ack', (...args) => args.pop()(...args));
	socket.on('where', (answer) => answer(namespace.name));
	socket.on('silence', () => {});
	socket.on('ask me', (a, b, answer) => socket.emit('question', a, b, (sum) => answer(sum)));
	socket.on('handshake', (answer) => answer({ auth: socket.handshake.auth ?? {}, query: socket.handshake.query }));
	socket.on('join', (room, answer) => {
		socket.join(room);
		answer();
	});
	socket.on('to room', (room, text, answer) => {
		namespace.to(room).emit('news', text);
		answer();
	});
	socket.on('tweets', () => {
		for (let i = 0; i < 100; i++) setTimeout(() => socket.volatile.emit('tweet', i), i);
	});
	socket.on('throw me out', () => socket.disconnect());
	socket.on('cut me off', () => socket.conn.close());
	socket.on('stop', () => process.exit(0));
}

for (const name of ['/', '/chat']) {
	const namespace = io.of(name);
	namespace.on('connection', (socket) => handle(namespace, socket));
}
io.of('/secret').use((socket, next) => {
	const error = new Error('not authorized');
	error.data = { retry: 5 };
	next(error);
});
http.listen(Number(port ?? 0), '127.0.0.1', () => console.log(http.address().port));
