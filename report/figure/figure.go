// Package figure draws a run's figures. Of general use are Curves (with bands and
// lines of theory), Scatter, Bars and Heatmap (with a tree of clusters); training
// curves, confusion matrices, spike rasters, membrane traces, filters, pictures
// with captions and firing rates have functions of their own.
//
// Each function takes plain numbers and returns a Figure, which renders as
// compact SVG for a page and as PNG for everything else. Equal input gives equal
// bytes. Figures are 480 CSS pixels wide and stay legible at 330, the width of a
// phone's column.
//
// Line and text colours in the SVG are given twice: as they are, for viewers that know
// no custom properties, and as CSS custom properties with a fallback, e.g.
// var(--fig-ink,#1F2328), so that a page can give dark mode its own. Their
// names are ink, muted, axis, grid, on (text upon a strong fill), card (the
// ground), 1 to 6 (the series) and spike, each after "--fig-". The series colours are
// those of Okabe and Ito, which colour-blind readers can tell apart; series
// differ in their dashes, too.
package figure

import (
	"bytes"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"

	"synfire/internal/atomicfile"
	"synfire/sample"
)

// Figure is a drawing of a fixed size, ready to be rendered.
// It comes from one of the functions below.
type Figure struct {
	height vg.Length
	paint  func(draw.Canvas)
}

const (
	width  = vg.Length(360) // points; 480 CSS pixels
	margin = vg.Length(2)
)

// SVG renders the figure as a standalone SVG document without references to
// anything outside it.
func (f Figure) SVG() []byte {
	c := &svgCanvas{Canvas: vgsvg.New(width, f.height)}
	f.draw(c)
	return fmt.Appendf(nil, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %g %g" `+
		`font-family="'Liberation Sans',Arimo,Arial,Helvetica,sans-serif" style="background:#fff;background:var(--fig-card,#fff)">`+"\n%s",
		width.Points(), f.height.Points(), c.body())
}

// svgCanvas remembers the width of each text. Viewers rarely have the very font
// that the layout was made with; told the width, they fit theirs into it.
type svgCanvas struct {
	*vgsvg.Canvas
	widths []vg.Length
}

// FillString implements vg.Canvas. Names come from outside: no control character of
// theirs may make the document one that XML does not know.
func (c *svgCanvas) FillString(f font.Face, pt vg.Point, s string) {
	s = sample.Printable(s)
	if strings.TrimSpace(s) == "" {
		return
	}
	c.widths = append(c.widths, f.Width(s))
	c.Canvas.FillString(f, pt, s)
}

// body is the document from its first group on.
func (c *svgCanvas) body() string {
	var b bytes.Buffer
	_, _ = c.WriteTo(&b) // a buffer takes every write
	doc := b.String()
	texts := strings.Split(compact.Replace(doc[strings.Index(doc, "<g "):]), "<text ")
	for i, w := range c.widths {
		texts[i+1] = fmt.Sprintf(`<text textLength="%.1f" lengthAdjust="spacingAndGlyphs" `, w.Points()) + texts[i+1]
	}
	return strings.Join(texts, "")
}

// Write writes the figure to a file, whole or not at all: as PNG of 192 dots an inch where its name
// ends in .png, else as SVG.
func (f Figure) Write(path string) error {
	src := f.SVG()
	if strings.EqualFold(filepath.Ext(path), ".png") {
		var err error
		if src, err = f.PNG(192); err != nil {
			return err
		}
	}
	return atomicfile.Write(path, func(w io.Writer) error { _, err := w.Write(src); return err })
}

// PNG renders the figure on white at a resolution in dots an inch, 24 to 1,200;
// at 192 it has twice the size at which a page shows it.
func (f Figure) PNG(dpi int) ([]byte, error) {
	if dpi < 24 || dpi > 1200 {
		return nil, fmt.Errorf("figure as PNG: %d dots an inch, want 24 to 1200", dpi)
	}
	c := vgimg.NewWith(vgimg.UseWH(width, f.height), vgimg.UseDPI(dpi))
	f.draw(c)
	var b bytes.Buffer
	if _, err := (vgimg.PngCanvas{Canvas: c}).WriteTo(&b); err != nil {
		return nil, fmt.Errorf("figure as PNG: %w", err)
	}
	return b.Bytes(), nil
}

func (f Figure) draw(c vg.CanvasSizer) {
	f.paint(draw.Crop(draw.New(c), margin, -margin, margin, -margin))
}

// compact shortens what vgsvg writes: the root element names the font for all,
// colours become custom properties, and images name their true type.
var compact = func() *strings.Replacer {
	const family = "font-family:Liberation Sans;font-variant:normal;"
	pairs := []string{
		family + "font-weight:normal;font-style:normal;", "",
		family + "font-weight:bold;font-style:normal;", "font-weight:bold;",
		"\"\n\tstyle", `" style`,
		`xlink:href="data:image/jpg;`, `preserveAspectRatio="none" href="data:image/png;`,
	}
	for _, p := range palette {
		hex := fmt.Sprintf("#%02X%02X%02X", p.color.R, p.color.G, p.color.B)
		for _, property := range []string{"fill:", "stroke:"} {
			pairs = append(pairs, property+hex, property+hex+";"+property+"var(--fig-"+p.name+","+hex+")")
		}
	}
	return strings.NewReplacer(pairs...)
}()
