// The npm package ws plays the scripts that it is told on standard input, one
// JSON value a line, and tells what came of each on standard output. See
// process.go for both. A script's connection is a stream in memory that behaves as
// the tape of tape.go does.
import { createHash } from 'node:crypto'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import { createInterface } from 'node:readline'
import { Duplex } from 'node:stream'

const [module, limit] = process.argv.slice(2)
const { WebSocket, WebSocketServer } = createRequire(import.meta.url)(module)
const maxPayload = Number(limit)
const headEnd = Buffer.from('\r\n\r\n')

class Tape extends Duplex {
  constructor(job) {
    super({ readableHighWaterMark: 1 })
    this.job = job
    this.sent = []
    this.opened = job.opened
    this.pieces = job.client ? [] : this.greeting(job.head)
    if (this.opened) this.pieces.push(...this.cut(octets(job.later)))
    this.wanted = false
  }

  // greeting is the head, and in one piece with the end of it the early octets.
  greeting(head) {
    const pieces = this.cut(octets(head))
    pieces.push(Buffer.concat([pieces.pop(), octets(this.job.early)]))
    return pieces
  }

  cut(data) {
    const { sizes } = this.job
    if (sizes.length === 0) return data.length > 0 ? [data] : []
    const pieces = []
    for (let i = 0, at = 0; at < data.length; i++) {
      const end = at + sizes[i % sizes.length]
      pieces.push(data.subarray(at, end))
      at = end
    }
    return pieces
  }

  // One piece at a time, each after what the one before has set off.
  _read() {
    setImmediate(() => this.give())
  }

  give() {
    if (this.destroyed) return
    if (this.pieces.length > 0) this.push(this.pieces.shift())
    else if (this.opened) this.push(null)
    else this.wanted = true
  }

  _write(chunk, encoding, done) {
    this.sent.push(Buffer.from(chunk))
    if (!this.opened) this.open()
    done()
  }

  // open sees whether this side's part of the opening handshake is there.
  open() {
    const sent = Buffer.concat(this.sent)
    if (!sent.includes(headEnd)) return
    this.opened = true
    if (this.job.client) {
      const key = /\r\nsec-websocket-key: *(\S+)/i.exec(sent.toString('latin1'))[1]
      const accept = createHash('sha1').update(key + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11').digest('base64')
      const head = octets(this.job.head).toString('latin1').replaceAll('{accept}', accept)
      this.pieces = this.greeting(Buffer.from(head, 'latin1').toString('base64'))
    } else if (!sent.toString('latin1').startsWith('HTTP/1.1 101')) {
      this.job.later = ''
    }
    this.pieces.push(...this.cut(octets(this.job.later)))
    if (this.wanted) this.give()
  }
}

const octets = (s) => Buffer.from(s, 'base64')

// follow keeps what happens on a connection until it has ended.
function follow(ws, job) {
  ws.on('message', (data, binary) => job.messages.push({ opcode: binary ? 2 : 1, payload: data.toString('base64') }))
  ws.on('error', () => {})
}

function play(job) {
  job.messages = []
  job.accepted = false
  const tape = new Tape(job)
  tape.on('error', () => {})
  tape.on('close', () => setImmediate(() => {
    const { id, messages, accepted } = job
    process.stdout.write(JSON.stringify({ id, messages, accepted, sent: Buffer.concat(tape.sent).toString('base64') }) + '\n')
  }))
  if (job.client) {
    const ws = new WebSocket('ws://server.example.com/chat', {
      createConnection: () => tape, perMessageDeflate: false, maxPayload,
    })
    ws.on('open', () => { job.accepted = true })
    follow(ws, job)
  } else {
    http.emit('connection', tape)
  }
}

// As the package's own server does where there is no upgrade.
const http = createServer((request, response) => {
  response.writeHead(426, { 'Content-Length': 0, 'Content-Type': 'text/plain' }).end()
})
const server = new WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload })
http.on('upgrade', (request, tape, head) => {
  server.handleUpgrade(request, tape, head, (ws) => follow(ws, tape.job))
})

createInterface({ input: process.stdin })
  .on('line', (line) => play(JSON.parse(line)))
  .on('close', () => process.exit())
