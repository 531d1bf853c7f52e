// The npm package ws as an echo server, or as a client that asks for its cases:
//
//   node ws.mjs MODULE version
//   node ws.mjs MODULE server
//   node ws.mjs MODULE client URL AGENT
//
// MODULE is the path of the package.
import { createRequire } from 'node:module'

const [module, role, url, agent] = process.argv.slice(2)
const require = createRequire(import.meta.url)
const { WebSocket, WebSocketServer } = require(module)

const options = { maxPayload: 64 << 20, perMessageDeflate: { threshold: 0 } }

// echo sends back what comes, and calls done at the end.
function echo(ws, done = () => {}) {
  ws.on('message', (data, isBinary) => ws.send(data, { binary: isBinary }))
  ws.on('error', () => {})
  ws.on('close', done)
}

// ask resolves to the message that comes on a path.
const ask = (path) => new Promise((resolve, reject) => {
  const ws = new WebSocket(url + path, options)
  let answer
  ws.on('message', (data) => { answer = data.toString() })
  ws.on('error', reject)
  ws.on('close', () => resolve(answer))
})

const run = (number) => new Promise((resolve) => {
  echo(new WebSocket(`${url}/runCase?case=${number}&agent=${encodeURIComponent(agent)}`, options), resolve)
})

if (role === 'version') {
  console.log(require(`${module}/package.json`).version)
} else if (role === 'server') {
  const server = new WebSocketServer({ ...options, host: '127.0.0.1', port: 0 })
  server.on('connection', (ws) => echo(ws))
  server.on('listening', () => console.log(server.address().port))
} else {
  const count = Number(await ask('/getCaseCount'))
  let next = 1
  await Promise.all(Array.from({ length: 16 }, async () => {
    while (next <= count) await run(next++)
  }))
  await ask(`/updateReports?agent=${encodeURIComponent(agent)}`)
  await ask('/stopServer')
}
