package command

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"text/tabwriter"

	"synfire/data"
	"synfire/data/cifar"
	"synfire/data/fashion"
	"synfire/data/fsdd"
	"synfire/data/mnist"
	"synfire/data/voc"
	"synfire/format/npz"
	"synfire/internal/atomicfile"
	"synfire/model"
	"synfire/report"
)

// datasets lists what can be named in configurations and with --data.
func datasets() []data.Dataset {
	return []data.Dataset{
		mnist.Dataset(), mnist.SampleDataset(), fashion.Dataset(),
		cifar.Dataset(), cifar.JPEGDataset(), fsdd.Dataset(), voc.BCCD(),
	}
}

func findDataset(name string) (data.Dataset, error) {
	sets := datasets()
	i, err := choose("data", "data set", name, names(sets, func(d data.Dataset) string { return d.Name }))
	if err != nil {
		return data.Dataset{}, usageError{err}
	}
	return sets[i], nil
}

// loadable is a data set that networks can be trained on and measured with.
func loadable(name string) (data.Dataset, error) {
	d, err := findDataset(name)
	if err == nil && d.Load == nil {
		err = usageError{fmt.Errorf("data set %s (%s) holds no labelled images; so far it is for programs in Go alone", d.Name, d.Title)}
	}
	return d, err
}

// configured is the data set of a configuration file. Paths in it are relative to the
// file's folder.
func configured(c *model.Data, dir string) (data.Dataset, error) {
	for _, p := range []*string{&c.Folder, &c.NPZ} {
		if *p != "" && !filepath.IsAbs(*p) {
			*p = filepath.Join(dir, *p)
		}
	}
	if d, own := c.Own(); own {
		return d, nil
	}
	return loadable(c.Name)
}

// named is the data set that a flag names: one of the list, or folder:PATH or npz:FILE
// with data of one's own, read as the model's training data was.
func named(flag string, c model.Data) (data.Dataset, error) {
	c.Name = ""
	if at, ok := strings.CutPrefix(flag, "folder:"); ok {
		c.NPZ, c.Folder = "", at
	} else if at, ok := strings.CutPrefix(flag, "npz:"); ok {
		c.NPZ, c.Folder = at, ""
	} else {
		return loadable(flag)
	}
	d, _ := c.Own()
	return d, nil
}

// dataOptions are the environment's, with the user's folder, and progress on a
// terminal.
func dataOptions(a *app, dir string) data.Options {
	o := data.DefaultOptions()
	if dir != "" {
		o.DataDir = dir
	}
	if a.live {
		v := newView(a)
		o.Progress = func(name string, done, total int64) {
			v.progress(name, int(done), int(max(total, done)), "")
			if done == total {
				v.done()
			}
		}
	}
	return o
}

type dataCmd struct {
	List   dataListCmd   `cmd:"" help:"List the data sets and whether they are here."`
	Get    dataGetCmd    `cmd:"" help:"Obtain a data set."`
	Import dataImportCmd `cmd:"" help:"Take a data set from a local folder, archive or file."`
	Verify dataVerifyCmd `cmd:"" help:"Check the sums of a data set's files."`

	Convert dataConvertCmd `cmd:"" help:"Turn a table of your own (CSV) into a file to train on (NPZ)."`
}

type dataFlags struct {
	DataDir string `help:"Folder with your own copies of data sets." placeholder:"DIR"`
}

type dataListCmd struct {
	dataFlags
	JSON bool `help:"Print JSON."`
}

type dataGetCmd struct {
	Name string `arg:"" help:"Name of the data set."`
	dataFlags
}

type dataImportCmd struct {
	Name string `arg:"" help:"Name of the data set."`
	Path string `arg:"" help:"Folder, .zip, .tar, .tar.gz or file."`
	dataFlags
}

type dataVerifyCmd struct {
	Name string `arg:"" help:"Name of the data set."`
	dataFlags
}

type dataConvertCmd struct {
	CSV   string `arg:"" name:"csv" help:"Table: names of the columns in the first line, then a sample a line."`
	NPZ   string `arg:"" name:"npz" help:"File to write."`
	Label string `help:"Name of the column that holds the labels." required:"" placeholder:"COLUMN"`
}

// Help is the verb's longer help.
func (dataConvertCmd) Help() string {
	return `All other columns must be numbers. Labels are numbers from 0 up, or names.
Train on the result with

  data: {npz: FILE, holdout: 0.2, normalize: true}

in a YAML file: every fifth sample is kept for the test, and each column is moved
to mean 0 and deviation 1. From Python: numpy.savez(FILE, x=…, y=…).`
}

// Run converts the table.
func (c *dataConvertCmd) Run(a *app) error {
	f, err := os.Open(c.CSV)
	if err != nil {
		return usageError{fmt.Errorf("data convert: %w", err)}
	}
	defer f.Close()
	arrays, err := data.ReadCSV(f, c.Label)
	if err != nil {
		return usageError{fmt.Errorf("%s: %w", c.CSV, err)}
	}
	set, _, err := data.FromArrays(c.NPZ, arrays, nil)
	if err != nil {
		return usageError{fmt.Errorf("%s: %w", c.CSV, err)}
	}
	if err := atomicfile.Write(c.NPZ, func(w io.Writer) error { return npz.Write(w, arrays) }); err != nil {
		return err
	}
	fmt.Fprintf(a.out, "%s: %s samples of %d values, classes: %s\n", c.NPZ, report.Integer(int64(set.Len())), set.Shape.Size(), strings.Join(set.Classes, ", "))
	return nil
}

// Run lists the data sets.
func (c *dataListCmd) Run(a *app) error {
	var list []data.Status
	for _, d := range datasets() {
		list = append(list, d.Status(dataOptions(a, c.DataDir)))
	}
	if c.JSON {
		return json.NewEncoder(a.out).Encode(list)
	}
	w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "NAME\tSTATUS\tSIZE\tSPLITS\tLICENCE")
	for _, s := range list {
		var splits []string
		for name, n := range s.Splits {
			splits = append(splits, fmt.Sprintf("%s %s", name, report.Integer(int64(n))))
		}
		sort.Sort(sort.Reverse(sort.StringSlice(splits)))
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", s.Name, s.Status, report.Bytes(s.Bytes), strings.Join(splits, ", "), s.License)
	}
	return w.Flush()
}

// Run obtains the data set.
func (c *dataGetCmd) Run(a *app) error {
	d, err := findDataset(c.Name)
	if err != nil {
		return err
	}
	files, err := d.Get(a.ctx, dataOptions(a, c.DataDir))
	return a.printFiles(files, err)
}

// Run imports the data set.
func (c *dataImportCmd) Run(a *app) error {
	d, err := findDataset(c.Name)
	if err != nil {
		return err
	}
	files, err := data.Import(a.ctx, dataOptions(a, c.DataDir), d, c.Path)
	return a.printFiles(files, err)
}

// Run verifies the data set.
func (c *dataVerifyCmd) Run(a *app) error {
	d, err := findDataset(c.Name)
	if err != nil {
		return err
	}
	if err := d.Verify(dataOptions(a, c.DataDir)); err != nil {
		return err
	}
	fmt.Fprintf(a.out, "%s: every file is here and has the pinned sum\n", d.Name)
	return nil
}

func (a *app) printFiles(files []string, err error) error {
	for _, f := range files {
		fmt.Fprintln(a.out, f)
	}
	return err
}
