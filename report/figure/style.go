package figure

import (
	"image/color"
	"math"

	xfont "golang.org/x/image/font"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

func rgb(hex uint32) color.NRGBA {
	return color.NRGBA{R: uint8(hex >> 16), G: uint8(hex >> 8), B: uint8(hex), A: 255}
}

var (
	ink   = rgb(0x1F2328) // titles, names
	muted = rgb(0x57606A) // numbers, notes
	axis  = rgb(0x8C959F)
	grid  = rgb(0xE4E7EB)
	on    = rgb(0xFFFFFF) // text upon a strong fill

	blue       = rgb(0x0072B2)
	vermillion = rgb(0xD55E00)
	green      = rgb(0x009E73)
	purple     = rgb(0xCC79A7)
	orange     = rgb(0xE69F00)
	sky        = rgb(0x56B4E9)

	seriesColors = [...]color.NRGBA{blue, vermillion, green, purple, orange, sky}

	// palette names the colours that a page can replace.
	palette = [...]struct {
		name  string
		color color.NRGBA
	}{
		{"ink", ink}, {"muted", muted}, {"axis", axis}, {"grid", grid}, {"on", on},
		{"1", blue}, {"2", vermillion}, {"3", green}, {"4", purple}, {"5", orange}, {"6", sky}, {"spike", spikeColor},
	}
)

// tint is a palette colour, its channels below 255, at an opacity in [0.01, 1]. Its
// premultiplied channels are rounded up, because vgsvg rounds down when it divides
// the opacity out again: so the colour that is written is the palette's own.
type tint struct {
	color.NRGBA
	opacity float64
}

func (t tint) RGBA() (r, g, b, a uint32) {
	alpha := uint32(math.Round(t.opacity * 0xffff))
	up := func(c uint8) uint32 { return min(uint32(c)*0x101*alpha/0xffff+1, alpha) }
	return up(t.R), up(t.G), up(t.B), alpha
}

const (
	titleSize = vg.Length(11.5)
	labelSize = vg.Length(10)
	tickSize  = vg.Length(9)
)

func textStyle(size vg.Length, c color.Color, x text.XAlignment, y text.YAlignment) text.Style {
	return text.Style{
		Color: c, XAlign: x, YAlign: y, Handler: plot.DefaultTextHandler,
		Font: font.Font{Typeface: "Liberation", Variant: "Sans", Size: size},
	}
}

func boldStyle(size vg.Length, x text.XAlignment, y text.YAlignment) text.Style {
	s := textStyle(size, ink, x, y)
	s.Font.Weight = xfont.WeightBold
	return s
}

// fit shortens a name with an ellipsis until it is no wider than w.
func fit(s string, style text.Style, w vg.Length) string {
	if style.Width(s) <= w {
		return s
	}
	r := []rune(s)
	for len(r) > 0 && style.Width(string(r)+"…") > w {
		r = r[:len(r)-1]
	}
	return string(r) + "…"
}

func line(c color.Color, w vg.Length) draw.LineStyle { return draw.LineStyle{Color: c, Width: w} }

// newPlot is a plot without frame and ground, its horizontal axis a thin line,
// its vertical axis only numbers.
func newPlot(xLabel string) *plot.Plot {
	p := plot.New()
	p.BackgroundColor = nil
	for _, a := range []*plot.Axis{&p.X, &p.Y} {
		a.Tick.Label.Font = textStyle(tickSize, muted, 0, 0).Font
		a.Tick.Label.Color = muted
		a.Tick.LineStyle = line(axis, 0.75)
		a.Tick.Length = 3
		a.LineStyle = line(axis, 0.75)
		a.Padding = 2
	}
	p.Y.Tick.Length = 0
	p.Y.Width = 0
	p.X.Label.Text = xLabel
	p.X.Label.TextStyle = textStyle(labelSize, muted, text.XCenter, text.YBottom)
	p.X.Tick.Label.YAlign = -1.25 // clear of the marks
	p.X.Label.Padding = 4
	p.X.Tick.Marker = ticks{most: 8, whole: true}
	p.Y.Tick.Marker = ticks{most: 5}
	return p
}
