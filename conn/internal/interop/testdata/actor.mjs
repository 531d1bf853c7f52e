// The WebSocket of browsers (and of Node, which has the same) as an actor: emit
// is called with each event, and the result with each command. The commands and
// events are described in actor_test.go.
export function actor(emit) {
  let socket
  let conns = 0
  let order = Promise.resolve() // of events: a Blob takes time to read

  const inOrder = (event) => { order = order.then(event).then(emit) }

  function connect({ url, protocols = [], type = 'arraybuffer' }) {
    const conn = ++conns
    const later = (event) => inOrder(async () => ({ conn, ...await event() }))
    const ws = socket = new WebSocket(url, protocols)
    ws.binaryType = type
    ws.onopen = () => later(() => ({ event: 'open', protocol: ws.protocol }))
    ws.onmessage = ({ data }) => later(async () => {
      if (typeof data === 'string') return { event: 'text', text: data }
      if ((data instanceof Blob) !== (type === 'blob')) return { event: 'wrong type', text: String(data) }
      return { event: 'binary', data: encode(data instanceof Blob ? await data.arrayBuffer() : data) }
    })
    ws.onerror = () => later(() => ({ event: 'error' }))
    ws.onclose = ({ code, reason, wasClean }) => later(() => ({ event: 'close', code, reason, clean: wasClean }))
  }

  // buffered reports that bufferedAmount has come down to 0.
  function buffered(most = socket.bufferedAmount) {
    if (socket.bufferedAmount > 0) setTimeout(buffered, 5, most)
    else inOrder(() => ({ event: 'buffered', conn: conns, buffered: most }))
  }

  const commands = {
    connect,
    text: ({ text = '' }) => socket.send(text),
    binary: ({ data = '' }) => socket.send(decode(data)),
    blob: ({ data = '' }) => socket.send(new Blob([decode(data)])),
    buffered: () => buffered(),
    close: ({ code, reason }) => code ? socket.close(code, reason) : socket.close(),
  }
  return (command) => commands[command.do](command)
}

const encode = (buffer) => {
  const octets = new Uint8Array(buffer)
  let s = ''
  for (let i = 0; i < octets.length; i += 0x8000) s += String.fromCharCode(...octets.subarray(i, i + 0x8000))
  return btoa(s)
}

const decode = (base64) => Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))
