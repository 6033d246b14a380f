package command

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"sort"
	"strings"
	"text/tabwriter"

	"synfire/data"
	"synfire/data/table"
	"synfire/format/npz"
	"synfire/internal/atomicfile"
	"synfire/report"
	"synfire/view"
)

// findDataset is a data set by name.
func (a *app) findDataset(name string) (data.Dataset, error) {
	d, err := a.Catalog.Dataset(name)
	if err != nil {
		err = usageError{fmt.Errorf("data: %w", err)}
	}
	return d, err
}

// dataOptions are the environment's, with the user's folder, and progress on a
// terminal.
func dataOptions(a *app, dir string) data.Options {
	o := data.DefaultOptions()
	if dir != "" {
		o.DataDir = dir
	}
	if a.Live {
		v := view.NewProgress(a.Screen)
		o.Progress = func(name string, done, total int64) {
			v.Bar(name, int(done), int(max(total, done)), "")
			if done == total {
				v.Done()
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
	set, err := table.Read(a.ctx, f, c.CSV, table.CSV{Label: c.Label})
	if err != nil {
		return usageError{err}
	}
	arrays, err := table.Arrays(set)
	if err != nil {
		return usageError{fmt.Errorf("%s: %w", c.CSV, err)}
	}
	if err := atomicfile.Write(c.NPZ, func(w io.Writer) error { return npz.Write(w, arrays) }); err != nil {
		return err
	}
	fmt.Fprintf(a.out, "%s: %s samples of %d values, classes: %s\n", c.NPZ, report.Integer(int64(set.Len())), set.Spec().Size(), strings.Join(set.Spec().Targets[0].Classes, ", "))
	return nil
}

// Run lists the data sets.
func (c *dataListCmd) Run(a *app) error {
	var list []data.Status
	for _, d := range a.Catalog.Datasets {
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
	d, err := a.findDataset(c.Name)
	if err != nil {
		return err
	}
	files, err := d.Get(a.ctx, dataOptions(a, c.DataDir))
	return a.printFiles(files, err)
}

// Run imports the data set.
func (c *dataImportCmd) Run(a *app) error {
	d, err := a.findDataset(c.Name)
	if err != nil {
		return err
	}
	files, err := data.Import(a.ctx, dataOptions(a, c.DataDir), d, c.Path)
	return a.printFiles(files, err)
}

// Run verifies the data set.
func (c *dataVerifyCmd) Run(a *app) error {
	d, err := a.findDataset(c.Name)
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
