// Command ship makes a trained model part of the program: it rounds the model, measures it
// on the test samples of what it was trained on, and writes it and its row into zoo/models.
// Run it at the top of the module:
//
//	go run ./tools/ship -text "two convolutions of 5×5" runs/ann-s1/model.safetensors mnist-cnn
//
// A model of the same name is replaced. The sum is pinned in zoo/models/list.json; tests check
// it, the sizes and the names.
package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"synfire/catalog"
	"synfire/data"
	"synfire/internal/par"
	"synfire/modelfile"
	"synfire/train"
	"synfire/zoo"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("ship: ")
	dtype := flag.String("dtype", modelfile.Float16, "what arrays are stored as: float16 or int8")
	text := flag.String("text", "", "the network in a few words, for people")
	dataDir := flag.String("data-dir", "", "folder with your own copies of data sets")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if flag.NArg() != 2 || *text == "" {
		log.Fatal(`want -text TEXT MODEL NAME, such as -text "two convolutions" runs/ann-s1/model.safetensors mnist-cnn`)
	}
	o := data.DefaultOptions()
	if *dataDir != "" {
		o.DataDir = *dataDir
	}
	m, err := ship(ctx, "zoo/models", flag.Arg(0), flag.Arg(1), *dtype, *text, o)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s: %.2f %% of %d %s samples of %s as %s, %.2f %% before; %d bytes, SHA-256 %s\n", m.Name, m.Accuracy, m.N, m.Split, m.Data, m.Stored, m.Before, m.Bytes, m.SHA256)
}

var word = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

// ship rounds, measures, writes into a directory, and pins there.
func ship(ctx context.Context, dir, path, name, dtype, text string, o data.Options) (m zoo.Model, err error) {
	if !word.MatchString(name) {
		return m, fmt.Errorf("name %q, want small letters, digits and dashes, such as mnist-cnn", name)
	}
	f, err := modelfile.Read(path)
	if err != nil {
		return m, err
	}
	before, err := measure(ctx, f, o)
	if err != nil {
		return m, fmt.Errorf("%s: %w", path, err)
	}
	rounded, err := f.Model().Convert(dtype)
	if err != nil {
		return m, err
	}
	file := filepath.Join(dir, name+".safetensors")
	if err := modelfile.Write(file, rounded); err != nil {
		return m, err
	}
	stored, err := modelfile.Read(file) // what ships is measured, not what was meant to
	if err != nil {
		return m, err
	}
	after, err := measure(ctx, stored, o)
	if err != nil {
		return m, err
	}
	content, err := os.ReadFile(file)
	if err != nil {
		return m, err
	}
	sum := sha256.Sum256(content)
	m = zoo.Model{
		Name: name, Text: text, Data: after.data, Split: train.SplitTest, N: after.n, Figure: after.figure, Accuracy: after.value, Before: before.value, Stored: dtype,
		Parameters: parameters(stored), Bytes: len(content), SHA256: hex.EncodeToString(sum[:]),
	}
	if len(content) > zoo.MaxFile {
		return m, errors.Join(fmt.Errorf("%s has %d bytes, at most %d ship; try -dtype %s, or a smaller network", file, len(content), zoo.MaxFile, modelfile.Int8), os.Remove(file))
	}
	return m, pin(dir, m)
}

// measured is the first figure of a model on all test samples, in percent.
type measured struct {
	data   string
	n      int
	figure string // as zoo.Model has it
	value  float64
}

func measure(ctx context.Context, f *modelfile.File, o data.Options) (out measured, err error) {
	c := catalog.Default()
	part, err := c.Measurable(ctx, f, "", train.SplitTest, o)
	if err != nil {
		return out, err
	}
	pool := par.New(0)
	defer pool.Close()
	spec := part.Source.Spec()
	m, err := c.FromFile(f, catalog.OpenOptions{Pool: pool, Spec: &spec})
	if err != nil {
		return out, err
	}
	p, batch, err := m.Stopping(nil)
	if err != nil {
		return out, err
	}
	ev, err := m.Evaluate(ctx, p, part.Source, batch, func(int, int) {})
	if err != nil {
		return out, err
	}
	if len(ev.Scalars) == 0 {
		return out, errors.New("it has no figure of its test samples: no task")
	}
	out = measured{part.Name, part.Source.Len(), ev.Scalars[0].Name, ev.Value(ev.Scalars[0].Name)}
	if out.figure == "accuracy" {
		out.figure = ""
	}
	return out, nil
}

// parameters is the elements of all arrays.
func parameters(f *modelfile.File) (n int) {
	for _, a := range f.Arrays {
		k := 1
		for _, d := range a.Shape {
			k *= d
		}
		n += k
	}
	return n
}

// pin writes a model's row into the list.
func pin(dir string, m zoo.Model) error {
	list := slices.DeleteFunc(zoo.List(), func(o zoo.Model) bool { return o.Name == m.Name })
	list = append(list, m)
	slices.SortFunc(list, func(a, b zoo.Model) int { return strings.Compare(a.Name, b.Name) })
	src, err := json.MarshalIndent(list, "", "\t")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "list.json"), append(src, '\n'), 0o644)
}
