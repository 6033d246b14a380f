// Package detection holds the verb that finds objects in pictures.
package detection

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"synfire/catalog"
	"synfire/data"
	"synfire/detect"
	"synfire/format/picture"
	"synfire/internal/limit"
	"synfire/internal/par"
	"synfire/modelfile"
	"synfire/sample"
	"synfire/task"
	"synfire/tensor"
	"synfire/view"
)

// maxFile is the most bytes of a picture's file.
const maxFile = 64 << 20

// Env is what the verb works with.
type Env struct {
	view.Screen
	Context context.Context
	Catalog catalog.Catalog
	Program string // its name, in front of what failed
	// Measurable loads what a model of a file is to be measured with.
	Measurable func(verb string, f *modelfile.File, data, split, dir string) (catalog.Part, error)
}

// Detect is the verb detect.
type Detect struct {
	Model   string   `arg:"" help:"Model file or checkpoint of a run with the task detect, or name of a detector that ships (synfire models)."`
	Images  []string `arg:"" optional:"" name:"image" help:"Pictures (PNG, JPEG), or folders of them."`
	Out     string   `help:"Folder for the pictures with their boxes, NAME.png each." placeholder:"DIR"`
	Score   float64  `help:"Score from which a box is told, above 0 and below 1." default:"0.5"`
	Threads int      `help:"Threads; 0 means one for each processor." default:"0"`
	JSON    bool     `help:"Print JSON, a line for each picture."`

	Map         bool   `help:"Tell the mean average precision, over the data of --data, or over the pictures by their annotations."`
	Annotations string `help:"With --map: folder of annotations as PASCAL VOC has them, NAME.xml for each picture." placeholder:"DIR"`
	Data        string `help:"With --map, in place of pictures: data set, or your own as eval takes it." placeholder:"DATA"`
	Split       string `help:"Part of the data: train, valid, test or all." enum:"train,valid,test,all" default:"test"`
	DataDir     string `help:"Folder with your own copies of data sets." placeholder:"DIR"`
}

// Help is the verb's longer help.
func (Detect) Help() string {
	return `Finds objects in pictures: boxes, each of a class and with a score, in pixels of the
picture. A picture is fitted into the network's input with its proportions kept. Of a network
with several outputs of boxes, as a YOLOv3 has, all are read together. Ends with
exit code 1 if one could not be read; the others are looked at all the same, and the failed
ones listed. How good a detector is tells --map, in percent, of data or of pictures with
annotations; more of data is told by eval.

  synfire detect digit-scenes examples/testdata/scenes --out found
  synfire detect runs/own-detect-s1/model.safetensors photo.png --out found
  synfire detect model.safetensors JPEGImages --map --annotations Annotations
  synfire detect digit-scenes --data digit-scenes --map`
}

// Validate returns an error for a score out of range, and for flags that do not go together.
func (c *Detect) Validate() error {
	switch given := len(c.Images) > 0; {
	case !(c.Score > 0 && c.Score < 1):
		return fmt.Errorf("--score: %v, want a number above 0 and below 1, such as 0.5", c.Score)
	case !given && c.Data == "":
		return errors.New("expected pictures, found none; name some, or measure a data set by --data NAME --map")
	case given && c.Data != "":
		return errors.New("pictures and --data: expected one of them")
	case c.Map && given && c.Annotations == "":
		return errors.New("--map of pictures needs the boxes that are in them: name the folder of their annotations by --annotations")
	case !c.Map && c.Annotations+c.Data != "":
		return errors.New("--annotations and --data are what --map measures by: add --map")
	case c.Data != "" && c.Annotations+c.Out != "":
		return errors.New("--out and --annotations are of pictures, leave them out with --data")
	}
	return nil
}

// found is the JSON of a picture.
type found struct {
	Image       string  `json:"image"`
	Width       int     `json:"width"`
	Height      int     `json:"height"`
	Boxes       []boxed `json:"boxes"`
	Steps       int     `json:"steps"`
	Spikes      int     `json:"spikes"`
	WallSeconds float64 `json:"wall_seconds"`

	pixels image.Image
	all    []detect.Detection // with those of lower scores, which the average precision counts
}

type boxed struct {
	Class int     `json:"class"`
	Label string  `json:"label"`
	Score float64 `json:"score"`
	XMin  float64 `json:"x_min"`
	YMin  float64 `json:"y_min"`
	XMax  float64 `json:"x_max"`
	YMax  float64 `json:"y_max"`
}

// failed is the JSON of a picture that could not be read.
type failed struct {
	Image string `json:"image"`
	Error string `json:"error"`
}

// detector is a model with the task detect.
type detector struct {
	*catalog.Model
	task  detect.Detect
	heads []string // outputs with boxes
	field sample.Field
}

// detectorOf is a model that was opened as a detector, if it is one.
func detectorOf(m *catalog.Model, err error) (*detector, error) {
	if err != nil {
		return nil, err
	}
	task, bound, ok := detect.Of(m.Config.Task)
	if !ok {
		return nil, errors.New("the model finds no boxes: it has no task detect; use predict")
	}
	field, err := m.Spec.Target(bound.Target)
	if err != nil {
		return nil, err
	}
	if len(field.Shape) != 2 || len(m.Spec.Shape) != 3 {
		return nil, fmt.Errorf("the model takes %v, want pictures [height, width, channels]", m.Spec)
	}
	list, err := m.Heads(bound)
	return &detector{Model: m, task: task, heads: list, field: field}, err
}

// Run looks at data, or at pictures.
func (c *Detect) Run(e Env) error {
	pool := par.New(c.Threads)
	defer pool.Close()
	if c.Data != "" {
		return c.measure(e, pool)
	}
	d, err := detectorOf(e.Catalog.Open(c.Model, catalog.OpenOptions{Pool: pool}))
	if err != nil {
		return fmt.Errorf("detect %s: %w", sample.Printable(c.Model), err)
	}
	return c.look(e, d)
}

// look looks at the pictures one after another.
func (c *Detect) look(e Env, d *detector) error {
	if c.Map { // before any picture is looked at
		if info, err := os.Stat(c.Annotations); err != nil || !info.IsDir() {
			return fmt.Errorf("detect: --annotations: %s is no folder; name that of the annotations", sample.Printable(c.Annotations))
		}
	}
	paths, err := pictures(c.Images)
	if err == nil && c.Out != "" {
		err = ready(c.Out, paths)
	}
	if err != nil {
		return fmt.Errorf("detect: %w", err)
	}
	bad, written := 0, 0
	failures := view.Failures{Out: e.Screen.Err, Program: e.Program}
	truths := judged{detector: d, dir: c.Annotations, pictures: d.task.Score(d.field).(*detect.Pictures)}
	for i, path := range paths {
		e.Status("%d of %d: %s", i+1, len(paths), sample.Printable(path))
		f, err := d.look(e.Context, path, c.Score)
		if e.Context.Err() != nil {
			return c.interrupted(e, written, len(paths))
		}
		if err == nil && c.Map {
			err = truths.add(f)
		}
		e.Status("")
		if err == nil && c.Out != "" {
			if err = save(f, c.Out); err == nil {
				written++
			}
		}
		if err != nil {
			bad++
			err = c.fail(e, &failures, path, err)
		} else {
			err = errors.Join(failures.Tell(), c.print(e, f))
		}
		if err != nil {
			return err
		}
	}
	if err := failures.Tell(); err != nil {
		return err
	}
	if c.Map {
		if err := c.tell(e, c.Annotations, d.field, truths.pictures); err != nil {
			return err
		}
	}
	if bad > 0 {
		return fmt.Errorf("detect: %d of %d pictures failed", bad, len(paths))
	}
	return nil
}

// interrupted says what there is of a run that was interrupted.
func (c *Detect) interrupted(e Env, drawn, of int) error {
	if drawn == 0 {
		return e.Context.Err()
	}
	return fmt.Errorf("detect: interrupted; drawings of %d of %d pictures are in %s", drawn, of, sample.Printable(c.Out))
}

// pictures are files, those of folders in the order of their names.
func pictures(given []string) (paths []string, err error) {
	known := func(name string) bool {
		return slices.Contains([]string{".png", ".jpg", ".jpeg"}, strings.ToLower(filepath.Ext(name)))
	}
	for _, path := range given {
		info, err := os.Stat(path)
		if err != nil || !info.IsDir() {
			paths = append(paths, path) // reading it tells what is wrong
			continue
		}
		entries, err := os.ReadDir(path)
		if err != nil {
			return nil, err
		}
		n := len(paths)
		for _, entry := range entries {
			if !entry.IsDir() && known(entry.Name()) {
				paths = append(paths, filepath.Join(path, entry.Name()))
			}
		}
		if len(paths) == n {
			return nil, fmt.Errorf("the folder %s has no pictures (.png, .jpg, .jpeg)", sample.Printable(path))
		}
	}
	return paths, nil
}

// read reads a picture's file. A named pipe, which a folder may have among its pictures, would
// make all behind it wait for its writer; what a shell gives by <(…) has no name in a folder.
func read(path string) ([]byte, error) {
	if info, err := os.Lstat(path); err == nil && info.Mode()&os.ModeNamedPipe != 0 {
		return nil, errors.New("it is a named pipe, want a file; write what comes out of it to one")
	}
	return limit.ReadPath(path, maxFile)
}

// look finds the boxes of a picture.
func (d *detector) look(ctx context.Context, path string, score float64) (*found, error) {
	start := time.Now()
	content, err := read(path)
	if err != nil {
		return nil, err
	}
	pixels, err := picture.Decode(content)
	if err != nil {
		return nil, err
	}
	size, shape := pixels.Bounds(), d.Spec.Shape
	place := data.Fit(size.Dx(), size.Dy(), shape[1], shape[0])
	x := &sample.Sample{X: make([]tensor.Float, d.Spec.Size()), Frame: place.Frame}
	place.Paint(x.X, shape, pixels)
	answers, err := d.Predict(ctx, x)
	if err != nil {
		return nil, err
	}
	a := answers[0]
	boxes := slices.DeleteFunc(a.Outputs, func(o task.Output) bool { return !slices.Contains(d.heads, o.Name) })
	all, err := d.task.Find(boxes, 0, d.field, min(score, d.task.Threshold))
	if err != nil {
		return nil, err
	}
	f := &found{Image: path, Width: size.Dx(), Height: size.Dy(), Boxes: []boxed{}, Steps: a.Steps, Spikes: a.Spikes, pixels: pixels}
	for _, one := range all {
		b := detect.ToFile(one.Box, place.Frame)
		f.all = append(f.all, detect.Detection{Box: b, Score: one.Score})
		if one.Score <= score {
			continue
		}
		f.Boxes = append(f.Boxes, boxed{Class: b.Class, Label: d.field.Classes[b.Class], Score: one.Score, XMin: b.X0, YMin: b.Y0, XMax: b.X1, YMax: b.Y1})
	}
	f.WallSeconds = time.Since(start).Seconds()
	return f, nil
}

func (c *Detect) print(e Env, f *found) error {
	if c.JSON {
		return json.NewEncoder(e.Out).Encode(f)
	}
	if _, err := fmt.Fprintf(e.Out, "%s  %d×%d  %s\n", sample.Printable(f.Image), f.Width, f.Height, number(len(f.Boxes))); err != nil {
		return err
	}
	for _, b := range f.Boxes {
		if _, err := fmt.Fprintf(e.Out, "  %-12s %.3f  (%.1f, %.1f) to (%.1f, %.1f)\n", sample.Printable(b.Label), b.Score, b.XMin, b.YMin, b.XMax, b.YMax); err != nil {
			return err
		}
	}
	return nil
}

// number is how many boxes there are, in words.
func number(n int) string {
	if n == 1 {
		return "1 box"
	}
	return fmt.Sprintf("%d boxes", n)
}

// fail tells that a picture could not be read or its boxes not be written.
func (c *Detect) fail(e Env, failures *view.Failures, path string, err error) error {
	if c.JSON {
		return json.NewEncoder(e.Out).Encode(failed{path, err.Error()})
	}
	return failures.Add(path, err)
}
