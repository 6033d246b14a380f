package main

import (
	"encoding/json"
	"fmt"
	"sort"
	"strings"
	"text/tabwriter"

	"synfire/data"
	"synfire/data/mnist"
	"synfire/report"
)

// datasets lists what can be named in configurations and with --data.
func datasets() []data.Dataset {
	return []data.Dataset{mnist.Dataset(), mnist.SampleDataset()}
}

func findDataset(name string) (data.Dataset, error) {
	sets := datasets()
	i, err := choose("data", "data set", name, names(sets, func(d data.Dataset) string { return d.Name }))
	if err != nil {
		return data.Dataset{}, usageError{err}
	}
	return sets[i], nil
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
