package deflate_test

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"strings"
	"testing"

	"example.org/rfc6455/conn/deflate"
)

// The programs read lines of octets in hex, each after an x:
//
//	inflate BITS MESSAGE...
//	deflate BITS LEVEL MEMLEVEL STRATEGY MESSAGE...
//
// and answer with a line of the results with context takeover, or with the word
// refused.

const pythonPeer = `
import sys, zlib
tail = b"\0\0\xff\xff"
for line in sys.stdin:
    f = line.split()
    try:
        if f[0] == "inflate":
            z = zlib.decompressobj(-int(f[1]))
            out = [z.decompress(bytes.fromhex(m[1:]) + tail) for m in f[2:]]
        else:
            z = zlib.compressobj(int(f[2]), zlib.DEFLATED, -int(f[1]), int(f[3]), int(f[4]))
            out = [(z.compress(bytes.fromhex(m[1:])) + z.flush(zlib.Z_SYNC_FLUSH))[:-4] for m in f[5:]]
        print(*["x" + m.hex() for m in out])
    except (ValueError, zlib.error):
        print("refused")
`

const nodePeer = `
const zlib = require("zlib");
const tail = Buffer.from([0, 0, 0xff, 0xff]);
function each(z, messages) {
  return new Promise((resolve, reject) => {
    const out = [];
    let now = [];
    z.on("data", (p) => now.push(p));
    z.on("error", reject);
    function next(i) {
      if (i === messages.length) return resolve(out);
      z.write(messages[i]);
      z.flush(zlib.constants.Z_SYNC_FLUSH, () => { out.push(Buffer.concat(now)); now = []; next(i + 1); });
    }
    next(0);
  });
}
async function answer(line) {
  const f = line.split(" ");
  const octets = (from) => f.slice(from).map((m) => Buffer.from(m.slice(1), "hex"));
  let out;
  if (f[0] === "inflate") {
    out = await each(zlib.createInflateRaw({ windowBits: +f[1] }), octets(2).map((m) => Buffer.concat([m, tail])));
  } else {
    const z = zlib.createDeflateRaw({ windowBits: +f[1], level: +f[2], memLevel: +f[3], strategy: +f[4] });
    out = (await each(z, octets(5))).map((m) => m.subarray(0, -4));
  }
  return out.map((m) => "x" + m.toString("hex")).join(" ");
}
(async () => {
  for await (const line of require("readline").createInterface({ input: process.stdin })) {
    console.log(await answer(line).catch(() => "refused"));
  }
})();
`

// A peer answers questions to one of the programs.
type peer struct {
	ask    *bufio.Writer
	answer *bufio.Scanner
}

func startPeer(t *testing.T, name string, args ...string) *peer {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("no %s here to exchange messages with: %v", name, err)
	}
	cmd := exec.CommandContext(t.Context(), path, args...)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stdin.Close()
		cmd.Wait() // it is killed with the test's context at the latest
	})
	answer := bufio.NewScanner(stdout)
	answer.Buffer(nil, 16<<20)
	return &peer{bufio.NewWriter(stdin), answer}
}

// do asks for messages to be inflated or deflated. It returns nil where that
// was refused.
func (p *peer) do(t *testing.T, question string, messages [][]byte) [][]byte {
	t.Helper()
	fmt.Fprint(p.ask, question)
	for _, m := range messages {
		fmt.Fprintf(p.ask, " x%x", m)
	}
	fmt.Fprintln(p.ask)
	if err := p.ask.Flush(); err != nil {
		t.Fatal(err)
	}
	if !p.answer.Scan() {
		t.Fatalf("%s: no answer: %v", question, p.answer.Err())
	}
	if p.answer.Text() == "refused" {
		return nil
	}
	var out [][]byte
	for word := range strings.FieldsSeq(p.answer.Text()) {
		m, err := hex.DecodeString(word[1:])
		if err != nil {
			t.Fatalf("%s: answer %q", question, p.answer.Text())
		}
		out = append(out, m)
	}
	return out
}

func TestPythonPeer(t *testing.T) { testPeer(t, startPeer(t, "python3", "-c", pythonPeer), 9) }
func TestNodePeer(t *testing.T)   { testPeer(t, startPeer(t, "node", "-e", nodePeer), 8) }

// testPeer exchanges messages with zlib at every window size, level, memory
// level and strategy. zlib itself compresses with windows from 9 bits on; peers
// may turn 8 into 9, which reaches no further than 250 octets all the same.
func testPeer(t *testing.T, p *peer, leastBits int) {
	r := rand.New(rand.NewPCG(6, 0))
	var messages [][]byte
	for _, k := range kinds {
		for range 2 {
			messages = append(messages, k.make(r, 1+someSize(r)/4))
		}
	}
	for bits := deflate.MinWindowBits; bits <= deflate.MaxWindowBits; bits++ {
		for _, level := range levels {
			c := newCompressor(t, bits, deflate.Takeover, level)
			var wires [][]byte
			for _, m := range messages {
				wires = append(wires, c.AppendPiece(nil, m, true))
			}
			checkMessages(t, fmt.Sprintf("peer inflates ours, %d bits, %v", bits, level),
				messages, p.do(t, fmt.Sprintf("inflate %d", bits), wires))
		}
		if bits < leastBits {
			continue
		}
		for _, settings := range []string{"0 8 0", "1 8 0", "6 8 0", "9 9 0", "6 1 0", "6 8 1", "6 8 2", "6 8 3", "6 8 4"} {
			question := fmt.Sprintf("deflate %d %s", bits, settings)
			wires := p.do(t, question, messages)
			d := newDecompressor(t, bits, deflate.Takeover)
			var got [][]byte
			for _, wire := range wires {
				m, err := inflate(d, wire, r.IntN(len(wire)), 1<<20)
				if err != nil {
					t.Fatalf("%s: %v", question, err)
				}
				got = append(got, m)
			}
			checkMessages(t, question, messages, got)
		}
	}
}

func checkMessages(t *testing.T, what string, want, got [][]byte) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d messages; want %d", what, len(got), len(want))
	}
	for i := range want {
		if !bytes.Equal(got[i], want[i]) {
			t.Errorf("%s: message %d of %d octets came back as %d others", what, i, len(want[i]), len(got[i]))
		}
	}
}
