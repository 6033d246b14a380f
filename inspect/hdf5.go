package inspect

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"text/tabwriter"

	"synfire/format/hdf5"
	"synfire/sample"
)

// hdf5Names are how names of HDF5 files end. One with a user block begins as anything.
var hdf5Names = []string{".h5", ".hdf5", ".hdf", ".nir"}

// ofHDF5 lists the tree of an HDF5 file; its headers alone are read.
func ofHDF5(path string) (File, error) {
	in, err := hdf5.OpenFile(path, hdf5.Limits{})
	if err != nil {
		return File{}, err
	}
	defer in.Close()
	f := File{Format: "hdf5", Version: "", Summary: map[string]string{"superblock": strconv.Itoa(in.Version)}}
	if in.UserBlock > 0 {
		f.Summary["user block"] = fmt.Sprintf("%d bytes", in.UserBlock)
	}
	var text strings.Builder
	l := lister{path: path, f: &f, w: tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)}
	l.list("", in.Root, 0)
	f.Summary["groups"], f.Summary["data sets"] = strconv.Itoa(l.groups), strconv.Itoa(len(f.Arrays))
	if err := l.w.Flush(); err != nil {
		return File{}, err
	}
	f.Tree = text.String()
	return f, nil
}

// lister makes arrays and lines of a tree's objects.
type lister struct {
	path   string
	f      *File
	w      *tabwriter.Writer
	groups int
}

func (l *lister) list(path string, o *hdf5.Object, depth int) {
	indent := strings.Repeat("  ", depth)
	name := indent + sample.Printable(o.Name)
	switch {
	case o.Link != "":
		fmt.Fprintf(l.w, "%s\tlink to %s\n", name, sample.Printable(o.Link))
	case o.Array != nil:
		a := o.Array
		fmt.Fprintf(l.w, "%s\t%s\t%s\t%s\n", name, sample.Printable(a.Type.String()), extent(a), a.Storage())
		l.f.Arrays = append(l.f.Arrays, Array{
			Name: path, DType: a.Type.String(), Shape: append([]int{}, a.Shape...), Bytes: a.Size(), Storage: a.Storage(), Attributes: attributes(o),
			each: func(take func([]float64) error) error { return hdf5Elements(l.path, path, take) },
		})
	default:
		l.groups++
		fmt.Fprintf(l.w, "%s/\n", name)
		if path != "" && len(o.Attributes) > 0 {
			l.f.Groups = append(l.f.Groups, Group{path, attributes(o)})
		}
	}
	for _, a := range o.Attributes {
		fmt.Fprintf(l.w, "%s  @%s\t%s\t%s\t= %s\n", indent, sample.Printable(a.Name), a.Type, extent(a.Array), sample.Printable(value(a.Array)))
	}
	if path == "" {
		for name, text := range attributes(o) {
			l.f.Summary["@"+name] = text
		}
	}
	for _, c := range o.Children {
		l.list(strings.TrimPrefix(path+"/"+c.Name, "/"), c, depth+1)
	}
}

// extent is an array's shape.
func extent(a *hdf5.Array) string {
	switch {
	case a.Null:
		return "null"
	case len(a.Shape) == 0:
		return "scalar"
	}
	return strings.Trim(strings.ReplaceAll(fmt.Sprint(a.Shape), " ", "×"), "[]")
}

func attributes(o *hdf5.Object) map[string]string {
	out := map[string]string{}
	for _, a := range o.Attributes {
		out[a.Name] = value(a.Array)
	}
	return out
}

// value is an attribute's, shortened where it has many elements.
func value(a *hdf5.Array) string {
	const most = 8
	if a.Len() > 1024 {
		return fmt.Sprintf("%d elements", a.Len())
	}
	var parts []string
	var err error
	switch a.Type.Class {
	case hdf5.String:
		parts, err = a.Strings()
		for i, s := range parts {
			parts[i] = strconv.Quote(s)
		}
	case hdf5.Sequence:
		return fmt.Sprintf("%d sequences", a.Len())
	default:
		var v []float64
		v, err = a.Float64s()
		for _, x := range v {
			parts = append(parts, strconv.FormatFloat(x, 'g', 6, 64))
		}
	}
	if err != nil {
		return "not read: " + err.Error()
	}
	if len(parts) > most {
		parts = append(parts[:most], "…")
	}
	return strings.Join(parts, ", ")
}

// hdf5Elements reads the elements of a data set.
func hdf5Elements(path, name string, take func([]float64) error) error {
	in, err := hdf5.OpenFile(path, hdf5.Limits{})
	if err != nil {
		return err
	}
	defer in.Close()
	o, err := in.Root.Find(name)
	if err == nil && o.Array == nil {
		err = errors.New("the file has changed; inspect it again")
	}
	if err == nil {
		err = o.Array.Each(take)
	}
	if err != nil {
		return fmt.Errorf("%s: %s: %w", path, name, err)
	}
	return nil
}
