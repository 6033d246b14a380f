package detection

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"synfire/catalog"
	"synfire/data/voc"
	"synfire/detect"
	"synfire/internal/par"
	"synfire/sample"
	"synfire/view"
	"synfire/zoo"
)

// judged are pictures with the boxes that should have been found.
type judged struct {
	detector *detector
	dir      string // of annotations
	pictures *detect.Pictures
}

// add reads the annotation of a picture.
func (j *judged) add(f *found) error {
	base := filepath.Base(f.Image)
	name := strings.TrimSuffix(base, filepath.Ext(base)) + ".xml"
	m, err := voc.ReadAnnotation(os.DirFS(j.dir), name)
	if err != nil {
		return err
	}
	if m.Width != f.Width || m.Height != f.Height {
		return fmt.Errorf("its annotation is of %d×%d pixels, and it has %d×%d", m.Width, m.Height, f.Width, f.Height)
	}
	p := detect.Picture{Found: f.all}
	for _, b := range m.Boxes {
		class := slices.Index(j.detector.field.Classes, b.Class)
		if class < 0 {
			return fmt.Errorf("its annotation has the class %q, which the detector does not know: %s", b.Class, strings.Join(j.detector.field.Classes, ", "))
		}
		p.Truths = append(p.Truths, b.Truth(class))
	}
	j.pictures.Append(p)
	return nil
}

// precision is the JSON of average precisions in percent; null where there is nothing to find.
type precision struct {
	Data string              `json:"data"` // or the folder of annotations
	N    int                 `json:"n_images"`
	MAP  *float64            `json:"map50"`
	COCO *float64            `json:"map50_95"`
	AP   map[string]*float64 `json:"ap"` // of each class, at an IoU of 0.5
}

// tell prints the average precision over pictures.
func (c *Detect) tell(e Env, data string, f sample.Field, s *detect.Pictures) error {
	p := precision{Data: data, N: s.Len(), AP: map[string]*float64{}}
	for _, m := range s.Scalars() {
		to, ok := map[string]**float64{"map50": &p.MAP, "map50_95": &p.COCO}[m.Name]
		if ok && m.Why == "" {
			*to = &m.Value
		}
	}
	ap, defined := s.AP()
	for i, name := range f.Classes {
		p.AP[name] = nil
		if defined[i] {
			percent := 100 * ap[i]
			p.AP[name] = &percent
		}
	}
	if c.JSON {
		return json.NewEncoder(e.Out).Encode(p)
	}
	_, err := io.WriteString(e.Out, p.text(f.Classes))
	return err
}

// text is what is printed, classes in their order.
func (p precision) text(classes []string) string {
	shown := func(v *float64) string {
		if v == nil {
			return "undefined: no boxes are to be found"
		}
		return fmt.Sprintf("%.1f %%", *v)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "\nmAP over %d pictures at an IoU of 0.5: %s, at 0.5 to 0.95: %s\n", p.N, shown(p.MAP), shown(p.COCO))
	for _, name := range classes {
		fmt.Fprintf(&b, "  %-12s %s\n", sample.Printable(name), shown(p.AP[name]))
	}
	return b.String()
}

// measure tells the average precision over a part of data.
func (c *Detect) measure(e Env, pool *par.Pool) error {
	f, err := zoo.Read(c.Model)
	if err != nil {
		return fmt.Errorf("detect: %w", err)
	}
	part, err := e.Measurable("detect", f, c.Data, c.Split, c.DataDir)
	if err != nil {
		return err
	}
	spec := part.Source.Spec()
	d, err := detectorOf(e.Catalog.FromFile(f, catalog.OpenOptions{Pool: pool, Spec: &spec}))
	if err != nil {
		return fmt.Errorf("detect %s: %w", sample.Printable(c.Model), err)
	}
	v := view.NewProgress(e.Screen)
	found, err := d.Evaluate(e.Context, d.Predictor(), part.Source, 0, func(done, total int) { v.Evaluating(part.Split, done, total) })
	v.Done()
	switch {
	case e.Context.Err() != nil:
		return context.Canceled
	case err != nil:
		return fmt.Errorf("detect: %w", err)
	}
	for _, s := range found.Scores {
		if s, ok := s.(*detect.Pictures); ok {
			return c.tell(e, part.Name, d.field, s)
		}
	}
	return errors.New("detect: no score of boxes")
}
