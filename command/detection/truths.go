package detection

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"synfire/data/voc"
	"synfire/detect"
	"synfire/sample"
)

// judged are pictures with the boxes that should have been found.
type judged struct {
	detector *detector
	dir      string // of annotations
	pictures []detect.Picture
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
	j.pictures = append(j.pictures, p)
	return nil
}

// precision is the JSON of an average precision, in percent; null where there is nothing to find.
type precision struct {
	MAP      *float64            `json:"map50"`
	AP       map[string]*float64 `json:"ap50"`
	Pictures int                 `json:"pictures"`
}

// tell prints the average precision over the pictures that could be read.
func (j *judged) tell(e Env, asJSON bool) error {
	p := precision{AP: map[string]*float64{}, Pictures: len(j.pictures)}
	percent := func(v float64, defined bool) *float64 {
		if !defined {
			return nil
		}
		v *= 100
		return &v
	}
	classes := j.detector.field.Classes
	p.MAP = percent(detect.MAP(j.pictures, len(classes)))
	for c, name := range classes {
		p.AP[name] = percent(detect.VOC(j.pictures, c, 0.5).AllPoints())
	}
	if asJSON {
		return json.NewEncoder(e.Out).Encode(p)
	}
	shown := func(v *float64) string {
		if v == nil {
			return "undefined: no boxes are to be found"
		}
		return fmt.Sprintf("%.1f %%", *v)
	}
	if _, err := fmt.Fprintf(e.Out, "\nmAP at an IoU of 0.5 over %d pictures: %s\n", p.Pictures, shown(p.MAP)); err != nil {
		return err
	}
	for _, name := range classes {
		if _, err := fmt.Fprintf(e.Out, "  %-12s %s\n", sample.Printable(name), shown(p.AP[name])); err != nil {
			return err
		}
	}
	return nil
}
