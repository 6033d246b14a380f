package report

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"html"
	"io"
	"slices"
	"strings"

	"synfire/sample"
)

// drawingElements are what an SVG may consist of on a page: shapes, text and
// embedded pictures, but nothing that runs, styles the page or loads.
var drawingElements = []string{
	"svg", "g", "defs", "title", "desc", "path", "rect", "circle", "ellipse", "line", "polyline", "polygon",
	"text", "tspan", "image", "linearGradient", "radialGradient", "stop", "clipPath", "use",
}

// checkSVG reports what keeps a document from being placed inside a page as it
// is: malformed XML, other elements than drawings need, event handlers,
// references to anything but its own parts and embedded PNG pictures, and what
// HTML reads otherwise than XML does (comments, processing instructions, CDATA).
func checkSVG(doc []byte) error {
	if bytes.Contains(doc, []byte("<![CDATA[")) {
		return errors.New("SVG has a CDATA section; write its text plainly")
	}
	d := xml.NewDecoder(bytes.NewReader(doc))
	depth, roots := 0, 0
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) && roots == 1 {
			if !bytes.Contains(doc, []byte("<svg")) {
				return errors.New("SVG names its elements with a prefix; use the plain name <svg>")
			}
			return nil
		}
		if err != nil {
			return fmt.Errorf("SVG is not a well-formed document: %w", err)
		}
		switch t := token.(type) {
		case xml.StartElement:
			if depth == 0 {
				roots++
			}
			depth++
			if roots != 1 || (depth == 1) != (t.Name.Local == "svg") {
				return fmt.Errorf("SVG has <%s> at depth %d, want one <svg> around all else", t.Name.Local, depth)
			}
			if err := checkElement(t); err != nil {
				return err
			}
		case xml.EndElement:
			depth--
		case xml.Comment:
			return errors.New("SVG has a comment; leave it out")
		case xml.ProcInst:
			if t.Target != "xml" || roots > 0 || bytes.ContainsAny(t.Inst, "<>") {
				return fmt.Errorf("SVG has a processing instruction %.20q; leave it out", t.Target)
			}
		case xml.Directive:
			return errors.New("SVG has a document type declaration; leave it out")
		case xml.CharData:
			if depth == 0 && len(bytes.TrimSpace(t)) > 0 {
				return errors.New("SVG has text outside its <svg> element")
			}
		}
	}
}

func checkElement(e xml.StartElement) error {
	if e.Name.Space != "" && e.Name.Space != svgNamespace {
		return fmt.Errorf("SVG has an element <%s> of another namespace, %.40q", e.Name.Local, e.Name.Space)
	}
	if !slices.Contains(drawingElements, e.Name.Local) {
		return fmt.Errorf("SVG has an element <%s>, which drawings do not need", e.Name.Local)
	}
	for _, a := range e.Attr {
		name, value := strings.ToLower(a.Name.Local), strings.ToLower(strings.TrimSpace(a.Value))
		switch {
		case strings.HasPrefix(name, "on"):
			return fmt.Errorf("SVG has an event handler %s on <%s>", a.Name.Local, e.Name.Local)
		case name == "href" && !strings.HasPrefix(value, "#") && !strings.HasPrefix(value, pngURL):
			return fmt.Errorf("SVG refers to %.40q from <%s>, want a part of itself or an embedded PNG", a.Value, e.Name.Local)
		case name == "style" && !plainStyle(value):
			return fmt.Errorf("SVG has a style %.60q on <%s>, want colours, lines and fonts alone", a.Value, e.Name.Local)
		case strings.Contains(strings.ReplaceAll(value, "url(#", ""), "url("), strings.Contains(value, `\`):
			return fmt.Errorf("SVG refers outside itself in %s=%.40q on <%s>", a.Name.Local, a.Value, e.Name.Local)
		}
	}
	return nil
}

const svgNamespace = "http://www.w3.org/2000/svg"

// plainStyle reports whether a style sets only how shapes and text are drawn.
func plainStyle(style string) bool {
	for _, declaration := range strings.Split(style, ";") {
		property, value, _ := strings.Cut(declaration, ":")
		property = strings.TrimSpace(property)
		known := property == "" || property == "background" || property == "fill" || property == "opacity" || property == "color" || property == "text-anchor" ||
			strings.HasPrefix(property, "fill-") || strings.HasPrefix(property, "stroke") || strings.HasPrefix(property, "font")
		if !known || strings.Contains(value, "//") || strings.Contains(value, "image-set") {
			return false
		}
	}
	return true
}

// describe gives a checked document a role, title and description, by which those
// who cannot see it are told what it shows; id tells them apart on a page.
func describe(doc []byte, title, description, id string) []byte {
	start := bytes.Index(doc, []byte("<svg")) + len("<svg")
	d := xml.NewDecoder(bytes.NewReader(doc))
	for {
		token, err := d.Token()
		if err != nil {
			return doc // not a document; the page refuses it
		}
		if _, ok := token.(xml.StartElement); ok {
			break
		}
	}
	end := d.InputOffset()
	if bytes.HasSuffix(doc[:end], []byte("/>")) {
		return doc // nothing is drawn
	}
	var b bytes.Buffer
	b.Write(doc[:start])
	fmt.Fprintf(&b, ` role="img" aria-labelledby="%s-title %[1]s-desc"`, id)
	b.Write(doc[start:end])
	fmt.Fprintf(&b, `<title id="%s-title">%s</title><desc id="%[1]s-desc">%[3]s</desc>`, id, escaped(title), escaped(description))
	b.Write(doc[end:])
	return b.Bytes()
}

// escaped is text within an element. What control characters it has are written out:
// XML knows hardly any.
func escaped(text string) string {
	return html.EscapeString(sample.PrintableText(strings.ReplaceAll(text, "\r\n", "\n")))
}

// inlineSVG is the svg element of a checked document as HTML takes it: without
// what stands before it, and without the namespace, which HTML supplies.
func inlineSVG(doc []byte) []byte {
	doc = doc[bytes.Index(doc, []byte("<svg")):]
	return bytes.Replace(doc, []byte(` xmlns="`+svgNamespace+`"`), nil, 1)
}
