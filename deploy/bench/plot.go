package main

import (
	"fmt"
	"html"
	"math"
	"strings"
)

// A plot is a picture of lines.
type plot struct {
	Title, X, Y string
	LogX, LogY  bool
	lines       []line
}

type line struct {
	name string
	x, y []float64
}

func (p *plot) add(name string, x, y []float64) { p.lines = append(p.lines, line{name, x, y}) }

// Colours that people with any colour vision can tell apart (Okabe and Ito).
var colours = []string{"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000"}

const (
	width, height            = 720, 360
	left, right, top, bottom = 76, 170, 36, 52
)

// An axis maps values to 0..1.
type axis struct {
	log      bool
	min, max float64
	ticks    []float64
}

func newAxis(log bool, values []float64) axis {
	a := axis{log: log, min: math.Inf(1), max: math.Inf(-1)}
	for _, v := range values {
		if log && v <= 0 {
			continue
		}
		a.min, a.max = min(a.min, v), max(a.max, v)
	}
	if a.min > a.max {
		a.min, a.max = 1, 2
	}
	if log {
		for t := math.Pow(10, math.Floor(math.Log10(a.min))); t <= a.max*1.001; t *= 10 {
			for _, m := range []float64{1, 2, 5} {
				if v := t * m; v >= a.min/1.001 && v <= a.max*1.001 {
					a.ticks = append(a.ticks, v)
				}
			}
		}
		if a.min == a.max {
			a.min, a.max = a.min/2, a.max*2
		}
		return a
	}
	a.min = min(0, a.min)
	if a.max == a.min {
		a.max = a.min + 1
	}
	step := math.Pow(10, math.Floor(math.Log10(a.max-a.min)))
	for (a.max-a.min)/step < 4 {
		step /= 2
	}
	a.max = math.Ceil(a.max/step) * step
	for t := a.min; t <= a.max*1.001; t += step {
		a.ticks = append(a.ticks, t)
	}
	return a
}

func (a axis) at(v float64) float64 {
	if a.log {
		return (math.Log(max(v, a.min)) - math.Log(a.min)) / (math.Log(a.max) - math.Log(a.min))
	}
	return (v - a.min) / (a.max - a.min)
}

func (p plot) svg() string {
	var xs, ys []float64
	for _, l := range p.lines {
		xs, ys = append(xs, l.x...), append(ys, l.y...)
	}
	ax, ay := newAxis(p.LogX, xs), newAxis(p.LogY, ys)
	px := func(v float64) float64 { return left + ax.at(v)*(width-left-right) }
	py := func(v float64) float64 { return height - bottom - ay.at(v)*(height-top-bottom) }
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="12" role="img">`+"\n",
		width, height)
	fmt.Fprintf(&b, "<title>%s</title>\n<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n", html.EscapeString(p.Title))
	text := func(x, y float64, anchor, s string) {
		fmt.Fprintf(&b, `<text x="%.1f" y="%.1f" text-anchor="%s">%s</text>`+"\n", x, y, anchor, html.EscapeString(s))
	}
	text(left, 20, "start", p.Title)
	for _, t := range ax.ticks {
		fmt.Fprintf(&b, `<path d="M%.1f %dV%d" stroke="#ddd"/>`+"\n", px(t), top, height-bottom)
		text(px(t), height-bottom+16, "middle", short(t))
	}
	for _, t := range ay.ticks {
		fmt.Fprintf(&b, `<path d="M%d %.1fH%d" stroke="#ddd"/>`+"\n", left, py(t), width-right)
		text(left-6, py(t)+4, "end", short(t))
	}
	text((left+width-right)/2, height-12, "middle", p.X)
	text(8, 20, "start", p.Y)
	for i, l := range p.lines {
		c := colours[i%len(colours)]
		var points []string
		for j := range l.x {
			points = append(points, fmt.Sprintf("%.1f,%.1f", px(l.x[j]), py(l.y[j])))
		}
		fmt.Fprintf(&b, `<polyline points="%s" fill="none" stroke="%s" stroke-width="2"/>`+"\n", strings.Join(points, " "), c)
		if len(l.x) <= 20 {
			for j := range l.x {
				fmt.Fprintf(&b, `<circle cx="%.1f" cy="%.1f" r="3" fill="%s"/>`+"\n", px(l.x[j]), py(l.y[j]), c)
			}
		}
		y := float64(top + 14 + 18*i)
		fmt.Fprintf(&b, `<path d="M%d %.1fh18" stroke="%s" stroke-width="2"/>`+"\n", width-right+12, y-4, c)
		text(width-right+36, y, "start", l.name)
	}
	b.WriteString("</svg>\n")
	return b.String()
}

// short writes a tick's value.
func short(v float64) string {
	switch {
	case v >= 1e6:
		return fmt.Sprintf("%gM", v/1e6)
	case v >= 1e4:
		return fmt.Sprintf("%gk", v/1e3)
	}
	return fmt.Sprintf("%g", math.Round(v*100)/100)
}
