package main

import (
	"bytes"
	"cmp"
	"fmt"
	"html"
	"math"
	"slices"
	"strconv"

	"example.org/rfc6455/bench/rivals/internal/results"
)

// A plot is a picture of some results, one series for each library.
type plot struct {
	file, title string
	x, y        axis
	series      []series
	bars        bool // one value for each series
	points      bool // points without a line
}

// An axis has a logarithmic scale or begins at 0.
type axis struct {
	label string
	log   bool
	text  func(v float64) string
}

type series struct {
	lib    string
	points [][2]float64
}

// plots returns those for which there are results.
func plots(groups []*results.Group) []plot {
	bytesText := func(v float64) string { return size(strconv.Itoa(int(v))) }
	number := func(v float64) string { return strconv.FormatFloat(v, 'g', 3, 64) }
	of := func(family string, with ...string) (chosen []*results.Group) {
		for _, g := range groups {
			match := g.Family() == family
			for i := 0; i+1 < len(with); i += 2 {
				match = match && g.Param(with[i]) == with[i+1]
			}
			if match {
				chosen = append(chosen, g)
			}
		}
		return chosen
	}
	all := []plot{
		{
			file: "read.svg", title: "Server reads messages in memory",
			x: axis{"payload", true, bytesText}, y: axis{"GB/s", true, number},
			series: lines(of("ReadMessage", "role", "server"), "size", "ns/op", func(x, v float64) float64 { return x / v }),
		},
		{
			file: "write.svg", title: "Client writes messages in memory",
			x: axis{"payload", true, bytesText}, y: axis{"GB/s", true, number},
			series: lines(of("WriteMessage", "role", "client"), "size", "ns/op", func(x, v float64) float64 { return x / v }),
		},
		{
			file: "echo.svg", title: "Processor time of an echo of 125 octets",
			x: axis{"connections", true, number}, y: axis{"µs for each message", false, number},
			series: lines(of("Echo", "size", "125", "pipeline", "1"), "conns", "ns/op", func(_, v float64) float64 { return v / 1e3 }),
		},
		{
			file: "idle.svg", title: "Memory of an idle connection",
			y: axis{"KiB resident", false, number}, bars: true,
			series: bars(of("Idle"), "B/conn", func(v float64) float64 { return v / 1024 }),
		},
		{
			file: "deflate.svg", title: "Compressing 1 KiB of JSON, without context takeover",
			x: axis{"µs", false, number}, y: axis{"output / input", false, number}, points: true,
			series: scatter(of("DeflateCompress", "data", "json", "size", "1024", "takeover", "false")),
		},
	}
	return slices.DeleteFunc(all, func(p plot) bool { return len(p.series) == 0 })
}

// lines makes a series of each library over a parameter.
func lines(groups []*results.Group, param, unit string, y func(x, v float64) float64) (all []series) {
	for _, lib := range results.Libs(groups) {
		s := series{lib: lib}
		for _, g := range groups {
			x, err := strconv.ParseFloat(g.Param(param), 64)
			r, ok := g.Of(lib)
			if err == nil && ok {
				s.points = append(s.points, [2]float64{x, y(x, r.Values[unit])})
			}
		}
		slices.SortFunc(s.points, func(a, b [2]float64) int { return cmp.Compare(a[0], b[0]) })
		all = append(all, s)
	}
	return all
}

// bars makes a series of one value of each library, of the last group.
func bars(groups []*results.Group, unit string, y func(v float64) float64) (all []series) {
	if len(groups) == 0 {
		return nil
	}
	for _, r := range groups[len(groups)-1].Results {
		all = append(all, series{r.Lib, [][2]float64{{0, y(r.Values[unit])}}})
	}
	slices.SortStableFunc(all, func(a, b series) int { return cmp.Compare(a.points[0][1], b.points[0][1]) })
	return all
}

// scatter makes a point of each library: its time and the ratio of its output.
func scatter(groups []*results.Group) (all []series) {
	for _, g := range groups {
		for _, r := range g.Results {
			all = append(all, series{r.Lib, [][2]float64{{r.Values["ns/op"] / 1e3, r.Values["ratio"]}}})
		}
	}
	return all
}

// The size of a plot and of its margins.
const (
	width, height            = 760, 420
	left, right, top, bottom = 70, 170, 50, 55
)

// right is where the picture ends and the names of the libraries begin, which
// stand below bars.
func (p *plot) right() int {
	if p.bars {
		return width - left/2
	}
	return width - right
}

// colors of the libraries; ours has the first.
var colors = []string{"#d1242f", "#0969da", "#1a7f37", "#9a6700", "#8250df", "#0e7490", "#bf3989", "#57606a", "#4d7c0f", "#c2410c", "#475569", "#111827"}

// svg draws the plot on white.
func (p *plot) svg() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="system-ui, sans-serif" font-size="12" fill="#1f2328">
<rect width="100%%" height="100%%" fill="#fff"/>
<text x="%d" y="28" font-size="16" font-weight="600">%s</text>
`, width, height, left, html.EscapeString(p.title))
	y := p.scale(1, p.y, height-bottom, top)
	for _, v := range y.ticks() {
		fmt.Fprintf(&b, `<path d="M%d %.1fH%d" stroke="#d0d7de"/><text x="%d" y="%.1f" text-anchor="end">%s</text>`+"\n",
			left, y.at(v), p.right(), left-8, y.at(v)+4, p.y.text(v))
	}
	fmt.Fprintf(&b, `<text transform="translate(18 %d) rotate(-90)" text-anchor="middle">%s</text>`+"\n", (top+height-bottom)/2, html.EscapeString(p.y.label))
	if p.bars {
		p.drawBars(&b, y)
	} else {
		x := p.scale(0, p.x, left, width-right)
		for _, v := range x.ticks() {
			fmt.Fprintf(&b, `<path d="M%.1f %dv5" stroke="#57606a"/><text x="%.1f" y="%d" text-anchor="middle">%s</text>`+"\n",
				x.at(v), height-bottom, x.at(v), height-bottom+20, p.x.text(v))
		}
		fmt.Fprintf(&b, `<text x="%d" y="%d" text-anchor="middle">%s</text>`+"\n", (left+width-right)/2, height-12, html.EscapeString(p.x.label))
		p.drawSeries(&b, x, y)
	}
	b.WriteString("</svg>\n")
	return b.Bytes()
}

func (p *plot) drawBars(b *bytes.Buffer, y scale) {
	step := float64(p.right()-left) / float64(len(p.series))
	for i, s := range p.series {
		v := s.points[0][1]
		x := left + (float64(i)+0.5)*step
		color := "#8c959f"
		if (&results.Result{Lib: s.lib}).Ours() {
			color = colors[0]
		}
		fmt.Fprintf(b, `<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill="%s"/><text x="%.1f" y="%.1f" text-anchor="middle" font-size="11">%s</text>`+"\n",
			x-step*0.35, y.at(v), step*0.7, y.at(0)-y.at(v), color, x, y.at(v)-5, p.y.text(v))
		fmt.Fprintf(b, `<text transform="translate(%.1f %d) rotate(-30)" text-anchor="end" font-size="11">%s</text>`+"\n", x+6, height-bottom+14, html.EscapeString(s.lib))
	}
}

func (p *plot) drawSeries(b *bytes.Buffer, x, y scale) {
	for i, s := range p.series {
		color := colors[i%len(colors)]
		stroke := 1.5
		if (&results.Result{Lib: s.lib}).Ours() {
			stroke = 3
		}
		if !p.points {
			fmt.Fprintf(b, `<path fill="none" stroke="%s" stroke-width="%v" d="`, color, stroke)
			for j, point := range s.points {
				command := 'L'
				if j == 0 {
					command = 'M'
				}
				fmt.Fprintf(b, "%c%.1f %.1f", command, x.at(point[0]), y.at(point[1]))
			}
			b.WriteString("\"/>\n")
		}
		for _, point := range s.points {
			fmt.Fprintf(b, `<circle cx="%.1f" cy="%.1f" r="%v" fill="%s"/>`+"\n", x.at(point[0]), y.at(point[1]), stroke+1.5, color)
		}
		at := top + 8 + 20*i
		fmt.Fprintf(b, `<rect x="%d" y="%d" width="12" height="12" fill="%s"/><text x="%d" y="%d">%s</text>`+"\n",
			width-right+20, at, color, width-right+38, at+10, html.EscapeString(s.lib))
	}
}

// A scale maps values of an axis to places in the picture.
type scale struct {
	axis
	least, most float64
	from, to    float64
}

// scale makes room for coordinate i of all points.
func (p *plot) scale(i int, a axis, from, to float64) scale {
	s := scale{axis: a, least: math.Inf(1), most: math.Inf(-1), from: from, to: to}
	for _, series := range p.series {
		for _, point := range series.points {
			s.least, s.most = min(s.least, point[i]), max(s.most, point[i])
		}
	}
	if !a.log {
		s.least, s.most = 0, s.most*1.08
	}
	if s.least == s.most {
		s.most++
	}
	return s
}

func (s *scale) at(v float64) float64 {
	part := (v - s.least) / (s.most - s.least)
	if s.log {
		part = math.Log(v/s.least) / math.Log(s.most/s.least)
	}
	return s.from + part*(s.to-s.from)
}

// ticks returns values for which there are labels.
func (s *scale) ticks() (all []float64) {
	if s.log {
		factor := 10.0
		start := math.Pow(10, math.Floor(math.Log10(s.least)))
		if s.most/s.least > 1e4 && s.least >= 1 { // sizes in octets
			factor, start = 4, math.Pow(2, math.Ceil(math.Log2(s.least)))
		}
		for v := start; v <= s.most*1.001; v *= factor {
			if v >= s.least {
				all = append(all, v)
			}
		}
		return all
	}
	step := math.Pow(10, math.Floor(math.Log10(s.most)))
	for s.most/step < 4 {
		step /= 2
	}
	for v := 0.0; v <= s.most; v += step {
		all = append(all, v)
	}
	return all
}
