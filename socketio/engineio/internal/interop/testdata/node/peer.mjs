// A client or a server of Node as a peer of the tests: commands come as lines of
// JSON on standard input, events go as lines to standard output. They are described
// in actor_test.go.
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import { createInterface } from 'node:readline'

const require = createRequire(import.meta.url)
const emit = (event) => { process.stdout.write(JSON.stringify(event) + '\n') }

// report emits what comes over a session, and answers where that is asked for.
function report(session, echo) {
  session.on('message', (data = '') => { // undefined is an empty text
    if (echo) session.send(data)
    emit(typeof data === 'string' ? { event: 'text', text: data } : { event: 'binary', data: Buffer.from(data).toString('base64') })
  })
  session.on('close', (reason) => emit({ event: 'close', text: String(reason) }))
  return session
}

let session

// connect begins a session with a server, as the given version of engine.io-client.
function connect({ version, url, options }) {
  const library = require('client' + version)
  session = version < 5 ? library(url, options) : new library.Socket(url, options)
  if (options.binary) session.binaryType = options.binary
  report(session)
  session.on('open', () => emit({ event: 'open', text: session.transport.name }))
  session.on('upgrade', (transport) => emit({ event: 'upgrade', text: transport.name }))
  session.on('error', (error) => emit({ event: 'error', text: String(error.message) }))
}

// listen starts an echo server, as the given version of engine.io.
function listen({ version, options }) {
  const http = createServer()
  const server = require('server' + version).attach(http, options)
  server.on('connection', (socket) => {
    session = report(socket, true)
    emit({ event: 'open', text: socket.transport.name })
    socket.on('upgrade', (transport) => emit({ event: 'upgrade', text: transport.name }))
  })
  http.listen(0, '127.0.0.1', () => emit({ event: 'listening', port: http.address().port }))
}

const commands = {
  connect,
  listen,
  text: ({ text }) => session.send(text),
  binary: ({ data }) => session.send(Buffer.from(data, 'base64')),
  close: () => session.close(),
}

createInterface({ input: process.stdin })
  .on('line', (line) => { const command = JSON.parse(line); commands[command.do](command) })
  .on('close', () => process.exit())
