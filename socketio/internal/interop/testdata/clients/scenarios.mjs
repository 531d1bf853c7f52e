// Runs the scenarios with one version of the official client, and says of each
// "ok NAME" or "not ok NAME: why".
//
// Usage: node scenarios.mjs VERSION TRANSPORTS URL
import assert from 'node:assert/strict';

const [, , version, transports, url] = process.argv;
const module = await import(`client${version}`);
const io = version === '2' ? module.default : module.io;
const modern = version !== '2';
const secure = { reconnection: false, forceNew: true, transports: transports.split(',') };

const sockets = [];
function open(path = '/', options = {}) {
	const socket = io(url + path, { ...secure, ...options });
	sockets.push(socket);
	return socket;
}

// patience is for what a loaded machine does late.
const patience = 20_000;

// next waits for an event and returns its arguments.
function next(socket, event) {
	return new Promise((resolve, reject) => {
		const timer = setTimeout(() => reject(new Error(`no ${event} in time`)), patience);
		socket.once(event, (...args) => {
			clearTimeout(timer);
			resolve(args);
		});
	});
}

async function join(path, options) {
	const socket = open(path, options);
	await next(socket, 'connect');
	return socket;
}

// ask sends an event and waits for the acknowledgement.
function ask(socket, ...event) {
	return new Promise((resolve, reject) => {
		const timer = setTimeout(() => reject(new Error(`no answer to ${event[0]} in time`)), patience);
		socket.emit(...event, (...args) => {
			clearTimeout(timer);
			resolve(args);
		});
	});
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// octets makes blobs comparable: browsers' clients give ArrayBuffers, Node's Buffers.
function octets(value) {
	if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) return 'blob:' + Buffer.from(value).toString('hex');
	if (Array.isArray(value)) return value.map(octets);
	if (value && typeof value === 'object') return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, octets(v)]));
	return value;
}

const values = ['text', 'ü€😀"\\\u2028', 0, -1.5, 1e21, true, null, [], {}, [1, ['2', { three: [null] }]], { a: { b: { c: 1 } } }];

const scenarios = {
	async 'events both ways'() {
		const socket = await join();
		for (const value of values) {
			const back = next(socket, 'back');
			socket.emit('echo', value);
			assert.deepEqual(await back, [value]);
		}
		const back = next(socket, 'back');
		socket.emit('echo', ...values);
		assert.deepEqual(await back, values);
	},
	async 'binary both ways'() {
		const socket = await join();
		const args = [Buffer.from('00ff10', 'hex'), { deep: [Buffer.from('01', 'hex'), 'x', { b: Buffer.alloc(0) }] }, 'last', Buffer.alloc(70000, 7)];
		const back = next(socket, 'back');
		socket.emit('echo', ...args);
		assert.deepEqual((await back).map(octets), args.map(octets));
		assert.deepEqual((await ask(socket, 'echo ack', ...args)).map(octets), args.map(octets));
	},
	async 'typed arguments'() {
		const socket = await join();
		assert.deepEqual(octets(await ask(socket, 'profile', { name: 'Ada', age: 36, avatar: Buffer.from('0102', 'hex') }, Buffer.from('ff', 'hex'))),
			[{ greeting: 'Ada is 36', size: 2, first: 'blob:ff' }]);
		const [answer] = await ask(socket, 'profile', 'not a profile');
		assert.equal(typeof answer.error, 'string');
	},
	async 'acknowledgements both ways'() {
		const socket = await join();
		assert.deepEqual(await ask(socket, 'echo ack', 1, 'two', [3]), [1, 'two', [3]]);
		socket.on('question', (a, b, answer) => answer(a + b));
		assert.deepEqual(await ask(socket, 'ask me', 20, 22), [42]);
	},
	async 'acknowledgement that never comes'() {
		if (version !== '4') return 'timeout() came with version 4.4';
		const socket = await join();
		const error = await new Promise((resolve) => socket.timeout(50).emit('silence', resolve));
		assert.match(String(error), /timed out/);
		await assert.rejects(socket.timeout(50).emitWithAck('silence'));
	},
	async 'server asks a client that is silent'() {
		const socket = await join();
		socket.on('question', () => {});
		assert.deepEqual(await ask(socket, 'ask me briefly'), ['timeout']);
	},
	async 'namespaces at once'() {
		const options = { forceNew: false, multiplex: true, query: { run: String(Math.random()) } };
		const main = await join('/', options);
		const chat = io(url + '/chat', { ...secure, ...options });
		chat.io === main.io || assert.fail('the client opened a second connection');
		await next(chat, 'connect');
		const where = [ask(main, 'where'), ask(chat, 'where')];
		assert.deepEqual(await Promise.all(where), [['/'], ['/chat']]);
		chat.disconnect();
		assert.deepEqual(await ask(main, 'where'), ['/']);
	},
	async 'dynamic namespace'() {
		const socket = await join('/dynamic-101');
		assert.deepEqual(await ask(socket, 'where'), ['/dynamic-101']);
	},
	async 'unknown namespace'() {
		const socket = open('/nowhere');
		const [error] = await next(socket, modern ? 'connect_error' : 'error');
		assert.equal(modern ? error.message : error.message ?? error, 'Invalid namespace');
	},
	async 'middleware with an error'() {
		const socket = open('/secret');
		const [error] = await next(socket, modern ? 'connect_error' : 'error');
		if (modern) {
			assert.equal(error.message, 'not authorized');
			assert.deepEqual(error.data, { retry: 5 });
		} else {
			assert.ok(error);
		}
	},
	async 'credentials'() {
		if (modern) {
			const [auth] = await ask(await join('/', { auth: { token: 'abc' } }), 'handshake');
			assert.deepEqual(auth.auth, { token: 'abc' });
			const later = await join('/', { auth: (give) => setTimeout(give, 5, { token: 'later' }) });
			assert.deepEqual((await ask(later, 'handshake'))[0].auth, { token: 'later' });
		}
		const [{ query }] = await ask(await join('/', { query: { token: 'xyz' } }), 'handshake');
		assert.equal(query.token, 'xyz');
	},
	async 'rooms'() {
		const [a, b, c] = await Promise.all([join(), join(), join()]);
		const got = { a: [], b: [], c: [] };
		a.on('news', (text) => got.a.push(text));
		b.on('news', (text) => got.b.push(text));
		c.on('news', (text) => got.c.push(text));
		const room = 'room' + Math.random();
		await ask(a, 'join', room);
		await ask(b, 'join', room);
		await ask(c, 'to room', room, 'one');
		await ask(a, 'to others', room, 'two');
		await ask(b, 'leave', room);
		await ask(c, 'to room', room, 'three');
		await Promise.all([ask(a, 'where'), ask(b, 'where'), ask(c, 'where')]);
		assert.deepEqual(got, { a: ['one', 'three'], b: ['one', 'two'], c: [] });
	},
	async 'broadcast with acknowledgements'() {
		const room = 'room' + Math.random();
		const [a, b] = await Promise.all([join(), join()]);
		for (const [socket, name] of [[a, 'a'], [b, 'b']]) {
			socket.on('question', (answer) => answer(name));
			await ask(socket, 'join', room);
		}
		const [answers] = await ask(a, 'ask room', room);
		assert.deepEqual(answers.sort(), ['a', 'b']);
	},
	async 'volatile'() {
		const socket = await join();
		const got = [];
		socket.on('tweet', (n) => got.push(n));
		// All of them are dropped while an upgrade takes that long.
		for (let round = 0; round < 20 && got.length === 0; round++) {
			await ask(socket, 'tweets');
			await ask(socket, 'where');
		}
		assert.deepEqual(got, got.toSorted((x, y) => x - y));
		assert.ok(got.length > 0 && got.length <= 100, `${got.length} of 100 volatile messages came`);
	},
	async 'order'() {
		const socket = await join();
		const back = [];
		const all = new Promise((resolve) => socket.on('back', (n, blob) => {
			back.push(blob === undefined ? n : [n, octets(blob)]);
			if (back.length === 500) resolve();
		}));
		const want = [];
		for (let i = 0; i < 500; i++) {
			if (i % 7 === 3) {
				socket.emit('echo', i, Buffer.from([i & 255]));
				want.push([i, 'blob:' + (i & 255).toString(16).padStart(2, '0')]);
			} else {
				socket.emit('echo', i);
				want.push(i);
			}
			if (i % 50 === 0) await pause(1);
		}
		await Promise.race([all, pause(patience)]);
		assert.deepEqual(back, want);
	},
	async 'upgrade'() {
		if (!transports.includes(',')) return 'one transport only';
		const socket = await join();
		for (let i = 0; i < 100 && socket.io.engine.transport.name !== 'websocket'; i++) await pause(20);
		assert.equal(socket.io.engine.transport.name, 'websocket');
		assert.deepEqual(await ask(socket, 'echo ack', 1), [1]);
	},
	async 'server disconnects'() {
		const socket = await join();
		const gone = next(socket, 'disconnect');
		socket.emit('throw me out');
		assert.equal((await gone)[0], 'io server disconnect');
	},
	async 'server closes the session'() {
		const socket = await join();
		const gone = next(socket, 'disconnect');
		socket.emit('cut me off');
		assert.equal((await gone)[0], 'io server disconnect');
	},
	async 'client disconnects'() {
		const socket = await join();
		const watcher = await join();
		await ask(socket, 'join', 'leaving');
		const left = next(watcher, 'left');
		const id = (await ask(socket, 'id'))[0];
		if (modern) assert.equal(id, socket.id);
		socket.disconnect();
		let gone;
		do gone = await left; while (gone[0] !== id);
		assert.deepEqual(gone, [id, 'client namespace disconnect', ['leaving', id].sort()]);
	},
	async 'reserved event'() {
		const socket = await join();
		const gone = next(socket, 'disconnect');
		socket.io.engine.write('42["connect"]');
		assert.match((await gone)[0], /transport/);
	},
	async 'reconnection after the server has restarted'() {
		const socket = await join('/', { reconnection: true, reconnectionDelay: 20, reconnectionDelayMax: 100, timeout: 2000 });
		const gone = next(socket, 'disconnect');
		socket.emit('restart');
		await gone;
		await next(socket, 'connect');
		assert.deepEqual(await ask(socket, 'where'), ['/']);
	},
	async 'recovery'() {
		if (version !== '4') return 'came with version 4.6';
		const socket = await join('/recover', { path: '/recovering/', reconnection: true, reconnectionDelay: 600, reconnectionDelayMax: 600 });
		const got = [];
		socket.on('news', (n) => got.push(n));
		await ask(socket, 'join', 'readers');
		const id = socket.id;
		const first = next(socket, 'news');
		socket.emit('publish', 1);
		await first;
		const publisher = await join('/recover', { path: '/recovering/' });
		const gone = next(socket, 'disconnect');
		socket.io.engine.close();
		await gone;
		await ask(publisher, 'publish', 2);
		await ask(publisher, 'publish', 3);
		await next(socket, 'connect');
		assert.equal(socket.recovered, true);
		assert.equal(socket.id, id);
		await ask(publisher, 'publish', 4);
		await ask(socket, 'where');
		assert.deepEqual(got, [1, 2, 3, 4]);
	},
	async 'msgpack'() {
		if (!modern) return 'its parser is for versions from 3 on';
		const { default: parser } = await import('socket.io-msgpack-parser');
		const socket = await join('/', { parser, path: '/msgpack/' });
		const args = ['text', 1, -1.5, 2 ** 40, null, true, [1, { a: Buffer.from('0102', 'hex') }], Buffer.from('ff', 'hex')];
		assert.deepEqual((await ask(socket, 'echo ack', ...args)).map(octets), args.map(octets));
		const back = next(socket, 'back');
		socket.emit('echo', ...args);
		assert.deepEqual((await back).map(octets), args.map(octets));
		const refused = open('/nowhere', { parser, path: '/msgpack/' });
		assert.equal((await next(refused, 'connect_error'))[0].message, 'Invalid namespace');
	},
};

for (const [name, scenario] of Object.entries(scenarios)) {
	try {
		const skipped = await scenario();
		console.log(skipped ? `skip ${name}: ${skipped}` : `ok ${name}`);
	} catch (error) {
		console.log(`not ok ${name}: ${String(error.stack).replaceAll('\n', '\\n')}`);
	}
	for (const socket of sockets.splice(0)) socket.disconnect();
}
await pause(200); // what was disconnected says so
process.exit(0);
