// The npm package ws as an actor, client and server. The commands and events are
// described in actor_test.go.
import { createServer } from 'node:http'
import { WebSocket, WebSocketServer } from 'ws'
import * as lines from './lines.mjs'

let socket
let conns = 0

const base64 = (data) => data.toString('base64')
const octets = (data = '') => Buffer.from(data, 'base64')

// adopt reports what happens on a connection, and returns how.
function adopt(ws) {
  const conn = ++conns
  const emit = (event) => lines.emit({ conn, ...event })
  socket = ws
  ws.on('message', (data, isBinary) => {
    emit(isBinary ? { event: 'binary', data: base64(data) } : { event: 'text', text: data.toString() })
  })
  ws.on('ping', (data) => emit({ event: 'ping', data: base64(data) }))
  ws.on('pong', (data) => emit({ event: 'pong', data: base64(data) }))
  ws.on('error', (error) => console.error(error))
  ws.on('close', (code, reason) => {
    emit({ event: 'close', code, reason: reason.toString(), clean: code !== 1006 })
  })
  return emit
}

function connect({ url, protocols = [], deflate }) {
  const ws = new WebSocket(url, protocols, deflate && { perMessageDeflate: deflate })
  const emit = adopt(ws)
  ws.on('open', () => emit({ event: 'open', protocol: ws.protocol }))
  ws.on('unexpected-response', (_, response) => {
    let text = ''
    response.on('data', (chunk) => { text += chunk })
    response.on('end', () => emit({ event: 'refused', status: response.statusCode, text }))
  })
}

function listen({ protocols = [], deflate = false }) {
  const http = createServer()
  const handleProtocols = (offered) => protocols.find((protocol) => offered.has(protocol)) ?? false
  const server = new WebSocketServer({ noServer: true, handleProtocols, perMessageDeflate: deflate })
  http.on('upgrade', (request, tcp, head) => {
    if (request.url === '/refuse') {
      tcp.end('HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm="x"\r\nContent-Length: 9\r\n\r\nwho is it')
      return
    }
    server.handleUpgrade(request, tcp, head, (ws) => {
      const emit = adopt(ws)
      emit({ event: 'open', protocol: ws.protocol })
      if (request.url === '/bye') {
        ws.send('bye')
        ws.close(4000, 'gone')
      }
    })
  })
  http.listen(0, '127.0.0.1', () => lines.emit({ event: 'listening', conn: conns + 1, port: http.address().port }))
}

const commands = {
  connect,
  listen,
  text: ({ text = '' }) => socket.send(text),
  binary: ({ data }) => socket.send(octets(data)),
  fragments: ({ parts }) => parts.forEach((part, i) => socket.send(part, { fin: i === parts.length - 1 })),
  ping: ({ data }) => socket.ping(octets(data)),
  pong: ({ data }) => socket.pong(octets(data)),
  raw: ({ data }) => socket._socket.write(octets(data)),
  close: ({ code, reason }) => socket.close(code, reason),
  terminate: () => socket.terminate(),
}

lines.obey((command) => commands[command.do](command))
