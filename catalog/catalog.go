// Package catalog is everything that can be named: model's table of kinds completed
// with the learning rules and the data sets. With it a model file opens without the
// data that it was trained on:
//
//	m, err := catalog.Default().Open("model.safetensors", catalog.OpenOptions{})
//	answers, err := m.Predict(ctx, sample)
//
// A Catalog is a value. Programs with kinds, rules or data sets of their own add them
// to a copy, and give it to command.Main.
package catalog

import (
	"context"
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"synfire/data"
	"synfire/data/cifar"
	"synfire/data/events"
	"synfire/data/faces"
	"synfire/data/fashion"
	"synfire/data/fsdd"
	"synfire/data/mnist"
	"synfire/data/recordings"
	"synfire/data/scenes"
	"synfire/data/trains"
	"synfire/data/uci"
	"synfire/data/voc"
	"synfire/format/yaml"
	"synfire/internal/limit"
	"synfire/internal/suggest"
	"synfire/model"
	"synfire/rule/bpstdp"
	"synfire/rule/bptt"
	"synfire/rule/dbn"
	"synfire/rule/ecd"
	"synfire/rule/eqprop"
	"synfire/rule/joint"
	"synfire/rule/mostafa"
	"synfire/rule/precise"
	"synfire/rule/s4nn"
	"synfire/rule/spikegrad"
	"synfire/rule/spikeprop"
	"synfire/rule/stdp"
	"synfire/rule/stdpconv"
	"synfire/rule/superspike"
	"synfire/rule/tempotron"
	"synfire/sample"
)

// Catalog is the kinds of a program, and its data sets.
type Catalog struct {
	model.Table
	Datasets []data.Dataset
}

// Default is what this module has, a fresh copy at each call.
func Default() Catalog {
	c := Catalog{Table: model.Default(), Datasets: []data.Dataset{
		mnist.Dataset(), mnist.SampleDataset(), fashion.Dataset(),
		cifar.Dataset(), cifar.JPEGDataset(),
		events.Dataset(), events.Simulated(mnist.Dataset(), "mnist-saccades"), events.Simulated(mnist.SampleDataset(), "saccades-sample"),
		fsdd.Dataset(), voc.BCCD(), voc.SmallBCCD(),
		scenes.Dataset(mnist.Dataset(), "digit-scenes"), scenes.Dataset(mnist.SampleDataset(), "digit-scenes-sample"),
		trains.Oxford(), faces.Dataset(), recordings.Dataset(), recordings.Brain(), uci.Iris(), uci.Wisconsin(),
	}}
	c.Rules[bptt.Kind] = model.Kind{New: func() any { r := bptt.NewRule(); return &r }, Example: bptt.NewRule()}
	c.Rules[eqprop.Kind] = model.Kind{New: func() any { r := eqprop.NewRule(); return &r }, Example: eqprop.NewRule()}
	example := s4nn.NewRule()
	example.Hidden = []int{4}
	c.Rules[s4nn.Kind] = model.Kind{New: func() any { r := s4nn.NewRule(); return &r }, Example: example}
	c.Rules[superspike.Kind] = model.Kind{New: func() any { r := superspike.NewRule(); return &r }, Example: superspike.NewRule()}
	c.Rules[spikegrad.Kind] = model.Kind{New: func() any { r := spikegrad.NewRule(); return &r }, Example: spikegrad.NewRule()}
	c.Rules[spikeprop.Kind] = model.Kind{New: func() any { r := spikeprop.NewRule(); return &r }, Example: spikeprop.NewRule()}
	c.Rules[tempotron.Kind] = model.Kind{New: func() any { r := tempotron.NewRule(); return &r }, Example: tempotron.NewRule()}
	c.Rules[precise.Kind] = model.Kind{New: func() any { r := precise.NewRule(); return &r }, Example: precise.NewRule()}
	c.Rules[mostafa.Kind] = model.Kind{New: func() any { r := mostafa.NewRule(); return &r }, Example: mostafa.NewRule()}
	c.Rules[dbn.Kind] = model.Kind{New: func() any { r := dbn.NewRule(); return &r }, Example: dbn.NewRule()}
	c.Rules[ecd.Kind] = model.Kind{New: func() any { r := ecd.NewRule(); return &r }, Example: ecd.NewRule()}
	c.Rules[bpstdp.Kind] = model.Kind{New: func() any { r := bpstdp.NewRule(); return &r }, Example: bpstdp.NewRule()}
	competing := stdp.NewRule()
	competing.Neurons = 20
	c.Rules[stdp.Kind] = model.Kind{New: func() any { r := stdp.NewRule(); return &r }, Example: competing}
	published := stdp.NewPublished()
	published.Neurons = 20
	c.Rules[stdp.PublishedKind] = model.Kind{New: func() any { r := stdp.NewPublished(); return &r }, Example: published}
	contest := stdp.NewQuerlioz()
	contest.Neurons = 20
	c.Rules[stdp.QuerliozKind] = model.Kind{New: func() any { r := stdp.NewQuerlioz(); return &r }, Example: contest}
	features := stdpconv.NewRule()
	features.Stages = []stdpconv.Stage{{Maps: 8, Kernel: 5, Threshold: 10, Winners: 3, Reach: 2, Pool: 2, Samples: 100}}
	c.Rules[stdpconv.Kind] = model.Kind{New: func() any { r := stdpconv.NewRule(); return &r }, Example: features}
	c.Rules[joint.Kind] = model.Kind{New: func() any { r := joint.NewRule(); return &r }, Example: joint.NewRule()}
	c.Rules[bptt.GraphKind] = model.Kind{New: func() any { return &bptt.Graph{} }, Example: bptt.Graph{}}
	return c
}

// Dataset finds a data set by name.
func (c Catalog) Dataset(name string) (data.Dataset, error) {
	var names []string
	for _, d := range c.Datasets {
		if d.Name == name {
			return d, nil
		}
		names = append(names, d.Name)
	}
	return data.Dataset{}, fmt.Errorf("no data set %q: %s", name, suggest.Names("data sets", name, names))
}

// Loadable is a data set that has samples to learn from.
func (c Catalog) Loadable(name string) (data.Dataset, error) {
	d, err := c.Dataset(name)
	if err == nil && d.Load == nil {
		err = fmt.Errorf("data set %s (%s) holds no samples that a network takes; so far it is for programs in Go alone", d.Name, d.Title)
	}
	return d, err
}

// Relative makes the paths of a configuration, which are relative to its file's
// folder, relative to the working directory.
func Relative(d *model.Data, dir string) {
	paths := []*string{&d.Folder, &d.NPZ}
	if d.Source != nil {
		paths = append(paths, d.Source.Paths()...)
	}
	for _, p := range paths {
		if *p != "" && !filepath.IsAbs(*p) {
			*p = filepath.Join(dir, *p)
		}
	}
}

// Load loads the samples that a configuration names. Without test samples, test is
// nil.
func (c Catalog) Load(ctx context.Context, d model.Data, o data.Options) (train, test sample.Source, err error) {
	if own := d.Own(); own != nil {
		return data.Open(ctx, own, d.Length, o)
	}
	set, err := c.Loadable(d.Name)
	if err != nil {
		return nil, nil, err
	}
	if train, test, err = set.Load(ctx, o); err != nil {
		return nil, nil, err
	}
	if train, err = data.Uniform(train, d.Length); err == nil && test != nil {
		test, err = data.Uniform(test, d.Length)
	}
	return train, test, err
}

// Named is the data that a flag names for a model that was trained on other data: a
// data set of the catalogue, or folder:PATH or npz:FILE of one's own, read as the
// model's training data was; or as source:PATH the same kind of source as like's, which
// is given the path; or as yaml:FILE what a file has, which a training file has under data.
func (c Catalog) Named(flag string, like model.Data) (model.Data, error) {
	d := model.Data{Length: like.Length, Size: like.Size, Channels: like.Channels, Classes: like.Classes}
	if at, ok := strings.CutPrefix(flag, "folder:"); ok {
		d.Folder = at
		return d, nil
	}
	if at, ok := strings.CutPrefix(flag, "yaml:"); ok {
		return c.described(at)
	}
	d.Size, d.Channels = nil, 0
	if at, ok := strings.CutPrefix(flag, "npz:"); ok {
		d.NPZ = at
		return d, nil
	}
	if flag == "source" && like.Source != nil && len(like.Source.Paths()) == 0 {
		d.Source, d.Classes = like.Source, nil
		return d, nil
	}
	if at, ok := strings.CutPrefix(flag, "source:"); ok && like.Source != nil {
		d.Source, d.Classes = like.Source, nil
		if len(d.Source.Paths()) == 0 {
			return d, fmt.Errorf("%q: the model's source is generated and has no path; name it as source", flag)
		}
		for i, path := range d.Source.Paths() {
			if *path = at; i > 0 {
				*path = "" // as that of further files for the test
			}
		}
		return d, nil
	}
	d.Classes = nil
	if _, err := c.Loadable(flag); err != nil {
		return d, fmt.Errorf("%w; or give data of your own as folder:PATH, npz:FILE or yaml:FILE", err)
	}
	d.Name = flag
	return d, nil
}

// described is data whose description, the keys that a training file has under data, is a file.
func (c Catalog) described(file string) (d model.Data, err error) {
	src, err := limit.ReadPath(file, model.MaxConfig)
	if err != nil {
		return d, err
	}
	if err := yaml.Decode(file, src, &d, c.Kinds()); err != nil {
		return d, err
	}
	if err := d.Validate(); err != nil {
		return d, fmt.Errorf("%s: %w", sample.Printable(file), err)
	}
	Relative(&d, filepath.Dir(file))
	return d, nil
}

// KindOf is the name that a value's kind has in a table, empty where it has none.
func KindOf(kinds map[string]model.Kind, v any) string {
	t := reflect.TypeOf(v)
	if t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	for _, name := range Names(kinds) {
		if reflect.TypeOf(kinds[name].New()).Elem() == t {
			return name
		}
	}
	return ""
}

// Names are the names of a table of kinds, sorted.
func Names(kinds map[string]model.Kind) []string {
	var out []string
	for name := range kinds {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}
