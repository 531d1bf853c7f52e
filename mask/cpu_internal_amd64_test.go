//go:build !purego

package mask

import (
	"os"
	"strings"
	"testing"
)

// processor is one with the given answers.
type processor struct {
	most      uint32 // highest leaf
	leaf1ECX  uint32
	leaf7EBX  uint32
	saved     uint32
	noXGETBV  bool
	asked     *testing.T
	wantsAVX2 bool
}

func (p processor) cpuid(leaf uint32) (eax, ebx, ecx, edx uint32) {
	switch leaf {
	case 0:
		return p.most, 0, 0, 0
	case 1:
		return 0, 0, p.leaf1ECX, 0
	case 7:
		if p.most < 7 {
			p.asked.Error("asked for leaf 7, which is not there")
		}
		return 0, p.leaf7EBX, 0, 0
	}
	p.asked.Errorf("asked for leaf %d", leaf)
	return 0, 0, 0, 0
}

func (p processor) xgetbv() uint32 {
	if p.noXGETBV {
		p.asked.Error("xgetbv without OSXSAVE")
	}
	return p.saved
}

func TestHasAVX2(t *testing.T) {
	const all, both = 0xffffffff, 1<<27 | 1<<28
	for _, tt := range []struct {
		name string
		processor
	}{
		{"all there", processor{most: 7, leaf1ECX: both, leaf7EBX: 1 << 5, saved: 6, wantsAVX2: true}},
		{"few leaves", processor{most: 6, leaf1ECX: all, leaf7EBX: all, saved: all}},
		{"no OSXSAVE", processor{most: 7, leaf1ECX: all &^ (1 << 27), leaf7EBX: all, saved: all, noXGETBV: true}},
		{"no AVX", processor{most: 7, leaf1ECX: all &^ (1 << 28), leaf7EBX: all, saved: all}},
		{"upper halves not saved", processor{most: 7, leaf1ECX: all, leaf7EBX: all, saved: all &^ 4}},
		{"lower halves not saved", processor{most: 7, leaf1ECX: all, leaf7EBX: all, saved: all &^ 2}},
		{"no AVX2", processor{most: 13, leaf1ECX: all, leaf7EBX: all &^ (1 << 5), saved: all}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.asked = t
			if got := supportsAVX2(tt.cpuid, tt.xgetbv); got != tt.wantsAVX2 {
				t.Errorf("supportsAVX2 = %t, want %t", got, tt.wantsAVX2)
			}
		})
	}
}

// FuzzSupportsAVX2: whatever a processor answers, it is asked for what is there alone, and
// its instructions are used if all of what they need is.
func FuzzSupportsAVX2(f *testing.F) {
	const all = 0xffffffff
	f.Add(uint32(7), uint32(all), uint32(all), uint32(all))
	f.Add(uint32(6), uint32(all), uint32(all), uint32(all))
	f.Add(uint32(7), uint32(all&^(1<<27)), uint32(all), uint32(all))
	f.Add(uint32(7), uint32(all), uint32(all), uint32(all&^2))
	f.Add(uint32(7), uint32(all), uint32(all&^(1<<5)), uint32(all))
	f.Fuzz(func(t *testing.T, most, leaf1ECX, leaf7EBX, saved uint32) {
		p := processor{most: most, leaf1ECX: leaf1ECX, leaf7EBX: leaf7EBX, saved: saved, asked: t, noXGETBV: leaf1ECX>>27&1 == 0}
		want := most >= 7 && leaf1ECX>>27&3 == 3 && saved>>1&3 == 3 && leaf7EBX>>5&1 == 1
		if got := supportsAVX2(p.cpuid, p.xgetbv); got != want {
			t.Errorf("supportsAVX2 = %t with %+v", got, p)
		}
	})
}

// TestAccelerated compares with what Linux says of this processor.
func TestAccelerated(t *testing.T) {
	info, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		t.Skip(err)
	}
	if want := strings.Contains(string(info)+" ", " avx2 "); Accelerated() != want {
		t.Errorf("Accelerated() = %t, /proc/cpuinfo says %t", Accelerated(), want)
	}
}
