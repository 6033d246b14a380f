// Package uci has two small tables that learning has been measured on since before there were
// archives: Fisher's irises and the breast tumours of Wisconsin.
//
// Iris is 150 flowers of three species by four lengths in centimetres (Fisher 1936), in the
// version of the UCI repository, of which two flowers (35 and 38) differ from Fisher's. Wisconsin is 699
// tumours, benign or malignant, by nine scores of cells from 1 to 10 (Wolberg and Mangasarian
// 1990), the original set and not the later one of thirty features. 16 of them lack a score
// and are left out, which leaves 683. Neither has test samples of its own.
//
// No source that works everywhere has the second; where the repository cannot be reached, the
// R package mlbench has the same values, and writes the same bytes:
//
//	data(BreastCancer, package = "mlbench"); b <- BreastCancer
//	b$Class <- ifelse(b$Class == "benign", 2, 4)
//	write.table(b, "breast-cancer-wisconsin.data", sep = ",", na = "?",
//	            quote = FALSE, row.names = FALSE, col.names = FALSE)
//
// for `synfire data import wisconsin breast-cancer-wisconsin.data`.
package uci

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"synfire/data"
	"synfire/internal/limit"
	"synfire/sample"
	"synfire/tensor"
)

var (
	irisFile = data.File{
		Name: "iris/iris_headers.csv", SHA256: "6bb62af6b3c7ba0c55cad3819500e44aa80fbf1a3da6a06bc06691808cdf9c28", Size: 4611,
		Sources: []data.Source{data.Module{Path: "github.com/sjwhitworth/golearn", Version: "v0.0.0-20221228163002-74ae077eafb2", Folder: "examples/datasets"}},
	}
	wisconsinFile = data.File{
		Name: "wisconsin/breast-cancer-wisconsin.data", SHA256: "402c585309c399237740f635ef9919dc512cca12cbeb20de5e563a4593f22b64", Size: 19889,
		Sources: []data.Source{data.Mirror("https://archive.ics.uci.edu/ml/machine-learning-databases/breast-cancer-wisconsin/")},
	}
)

// Iris describes the irises.
func Iris() data.Dataset {
	return data.Dataset{
		Name: "iris", Title: "Fisher's irises", License: "CC BY 4.0 (R. A. Fisher; UCI Machine Learning Repository)",
		Classes: []string{"setosa", "versicolor", "virginica"}, Splits: []data.Split{{Name: "train", Len: 150}}, Files: []data.File{irisFile},
		Load: data.InMemory(func(ctx context.Context, o data.Options) (*data.Set, *data.Set, error) {
			s, err := load(ctx, o, irisFile, ReadIris)
			return s, nil, err
		}),
	}
}

// Wisconsin describes the tumours.
func Wisconsin() data.Dataset {
	return data.Dataset{
		Name: "wisconsin", Title: "Breast tumours of Wisconsin, nine features", License: "CC BY 4.0 (W. H. Wolberg; UCI Machine Learning Repository)",
		Classes: []string{"benign", "malignant"}, Splits: []data.Split{{Name: "train", Len: 683}}, Files: []data.File{wisconsinFile},
		Load: data.InMemory(func(ctx context.Context, o data.Options) (*data.Set, *data.Set, error) {
			s, err := load(ctx, o, wisconsinFile, ReadWisconsin)
			return s, nil, err
		}),
	}
}

func load(ctx context.Context, o data.Options, f data.File, read func(io.Reader) (*data.Set, error)) (*data.Set, error) {
	paths, err := data.Fetch(ctx, o, f)
	if err != nil {
		return nil, err
	}
	r, err := os.Open(paths[0])
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return read(r)
}

// maxTable is the most bytes of a table that are read.
const maxTable = 1 << 20

// table is the layout of a file of lines of commas.
type table struct {
	name    string
	skip    int // lines before the first sample
	ignore  int // columns before the first value
	values  int
	classes []string // by their names in the file
	names   []string
}

// ReadIris reads the irises: a line of names, then four lengths and Iris-species a line.
func ReadIris(r io.Reader) (*data.Set, error) {
	names := Iris().Classes
	var classes []string
	for _, n := range names {
		classes = append(classes, "Iris-"+n)
	}
	return table{name: "iris", skip: 1, values: 4, classes: classes, names: names}.read(r)
}

// ReadWisconsin reads the tumours: a number, nine scores or ?, and 2 for benign or 4 for
// malignant a line. Lines with a ? are left out.
func ReadWisconsin(r io.Reader) (*data.Set, error) {
	return table{name: "wisconsin", ignore: 1, values: 9, classes: []string{"2", "4"}, names: Wisconsin().Classes}.read(r)
}

func (t table) read(r io.Reader) (*data.Set, error) {
	src, err := io.ReadAll(limit.Reader(r, maxTable))
	if err != nil {
		return nil, fmt.Errorf("data: %s: %w", t.name, err)
	}
	s := &data.Set{Name: t.name, Split: "train", Shape: tensor.Shape{1, 1, t.values}, Classes: t.names}
	for n, line := range strings.Split(string(src), "\n") {
		line = strings.TrimSpace(line)
		if n < t.skip || line == "" || strings.Contains(line, "?") {
			continue
		}
		fields := strings.Split(line, ",")
		if len(fields) != t.ignore+t.values+1 {
			return nil, fmt.Errorf("data: %s: line %d has %d columns, want %d; fetch the file again", t.name, n+1, len(fields), t.ignore+t.values+1)
		}
		for _, f := range fields[t.ignore : t.ignore+t.values] {
			v, err := strconv.ParseFloat(f, 32)
			if err != nil || v < -1e6 || v > 1e6 || v != v {
				return nil, fmt.Errorf("data: %s: line %d: %q is no number within ±10⁶; fetch the file again", t.name, n+1, sample.Printable(f))
			}
			s.Values = append(s.Values, tensor.Float(v))
		}
		class := slices.Index(t.classes, fields[len(fields)-1])
		if class < 0 {
			return nil, fmt.Errorf("data: %s: line %d: class %q, want one of %v; fetch the file again", t.name, n+1, sample.Printable(fields[len(fields)-1]), t.classes)
		}
		s.Labels = append(s.Labels, class)
	}
	if len(s.Labels) == 0 {
		return nil, fmt.Errorf("data: %s: the file has no samples; fetch it again", t.name)
	}
	return s, s.Validate()
}
