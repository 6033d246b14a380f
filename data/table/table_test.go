package table_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"synfire/data"
	"synfire/data/table"
	"synfire/internal/shared"
	"synfire/sample"
	"synfire/tensor"
)

// parse reads a table from a text.
func parse(t testing.TB, in string, c table.CSV) (sample.Source, error) {
	t.Helper()
	return table.Read(t.Context(), strings.NewReader(in), "t.csv", c)
}

// all is all samples of a source.
func all(t testing.TB, src sample.Source) (out []sample.Sample) {
	t.Helper()
	for i := range src.Len() {
		s := sample.Sample{X: make([]tensor.Float, src.Spec().Size())}
		if err := src.Read(t.Context(), i, &s); err != nil {
			t.Fatal(err)
		}
		out = append(out, s)
	}
	return out
}

func TestWide(t *testing.T) {
	src, err := parse(t, "\ufeffa, kind ,b\n1,red,2.5\n-3, blue,1e3\n", table.CSV{Label: "kind "})
	if err != nil {
		t.Fatal(err)
	}
	got, spec := all(t, src), src.Spec()
	if !spec.Shape.Equal(tensor.Shape{1, 1, 2}) || spec.Targets[0].Name != sample.Label || !slices.Equal(spec.Targets[0].Classes, []string{"blue", "red"}) {
		t.Errorf("spec %+v", spec)
	}
	if !slices.Equal(got[0].X, []tensor.Float{1, 2.5}) || !slices.Equal(got[1].X, []tensor.Float{-3, 1000}) || got[0].Targets[0].Class != 1 || got[1].Targets[0].Class != 0 {
		t.Errorf("samples %v", got)
	}
	if o := src.Origin(1); o != "t.csv: line 3" {
		t.Errorf("origin %s", o)
	}
	arrays, err := table.Arrays(src)
	if err != nil || arrays["y"].DType != "<U4" || arrays["x"].Shape[1] != 2 {
		t.Errorf("arrays %v, %v", arrays, err)
	}
	src, err = parse(t, "y,x\n2,1\n0,1\n", table.CSV{Label: "y"})
	if err != nil || len(src.Spec().Targets[0].Classes) != 3 {
		t.Fatalf("whole numbers: %v", err)
	}
	if arrays, err = table.Arrays(src); err != nil || arrays["y"].DType != "<i8" {
		t.Errorf("labels %v, %v", arrays["y"], err)
	}
}

func TestTargets(t *testing.T) {
	src, err := parse(t, "x,h,kind,id,other\n1,0.5,a,9,u\n2,1.5,b,8,v\n", table.CSV{
		Label: "other", Targets: map[string]table.Reading{"kind": table.AsClass, "h": table.AsValue}, Ignore: []string{"id"},
	})
	if err != nil {
		t.Fatal(err)
	}
	got, fields := all(t, src), src.Spec().Targets
	if len(fields) != 3 || fields[0].Name != sample.Label || fields[1].Name != "h" || fields[2].Name != "kind" {
		t.Fatalf("fields %+v", fields)
	}
	if s := got[1]; len(s.X) != 1 || s.Targets[0].Class != 1 || s.Targets[1].Values[0] != 1.5 || s.Targets[2].Class != 1 {
		t.Errorf("sample %+v", s)
	}
	src, err = parse(t, "x,h\n1,0.5\n", table.CSV{Targets: map[string]table.Reading{"h": table.AsValue}})
	if err != nil || src.Spec().Targets[0].Kind != sample.Values {
		t.Errorf("a value alone: %v", err)
	}
	src, err = parse(t, "x,y\n1,2\n", table.CSV{})
	if err != nil || len(src.Spec().Targets) != 0 || src.Spec().Size() != 2 {
		t.Errorf("no targets: %v", err)
	}
}

func TestLong(t *testing.T) {
	const in = "time,sample,u,v,label,goal\n0,s,1,2,walk,0.1\n0.5,s,3,4,walk,0.2\n1,s,5,6,walk,0.3\n0,q,7,8,rest,0.4\n0.5,q,9,10,rest,0.5\n"
	src, err := parse(t, in, table.CSV{Label: "label", Targets: map[string]table.Reading{"goal": table.AsSeries}})
	if err != nil {
		t.Fatal(err)
	}
	got, spec := all(t, src), src.Spec()
	if spec.Steps != 3 || !spec.Shape.Equal(tensor.Shape{2}) || spec.Targets[1].Steps != 3 {
		t.Errorf("spec %+v", spec)
	}
	if !slices.Equal(got[0].X, []tensor.Float{1, 2, 3, 4, 5, 6}) || !slices.Equal(got[1].X, []tensor.Float{7, 8, 9, 10, 0, 0}) || got[0].Length != 0 || got[1].Length != 2 {
		t.Errorf("samples %+v", got)
	}
	if got[0].Targets[0].Class != 1 || !slices.Equal(got[1].Targets[1].Values, []tensor.Float{0.4, 0.5, 0}) || src.Origin(1) != "t.csv: line 5" {
		t.Errorf("targets %+v, origin %s", got, src.Origin(1))
	}
	_, err = data.Uniform(src, data.Length{})
	checkError(t, "durations", err, "t.csv: line 5 has 2 steps, t.csv: line 2 3")
	cropped, err := data.Uniform(src, data.Length{Crop: 2})
	if err != nil {
		t.Fatal(err)
	}
	if got := all(t, cropped); !slices.Equal(got[0].X, []tensor.Float{1, 2, 3, 4}) || len(got[0].Targets[1].Values) != 2 || got[1].Length != 0 {
		t.Errorf("cropped %+v", got)
	}
}

// checkError wants an error with each part in its text.
func checkError(t *testing.T, name string, err error, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if err == nil || !strings.Contains(err.Error(), p) {
			t.Errorf("%s: got %v, want %q", name, err, p)
		}
	}
}

func TestErrors(t *testing.T) {
	long := map[string]table.Reading{"g": table.AsValue}
	for _, c := range []struct {
		in, want string
		o        table.CSV
	}{
		{"", "first line", table.CSV{Label: "y"}},
		{"a,b\n1,2\n", `no column "y" for the labels; the first line names a, b`, table.CSV{Label: "y"}},
		{"y\n1\n", "only columns of targets", table.CSV{Label: "y"}},
		{"a,y\n1,0\nx,1\n", `line 3, column a: "x" is no finite number`, table.CSV{Label: "y"}},
		{"a,y\nNaN,0\n", `"NaN" is no finite number`, table.CSV{Label: "y"}},
		{"a,y\n1e999,0\n", `is no finite number`, table.CSV{Label: "y"}},
		{"a,y\n", "no samples", table.CSV{Label: "y"}},
		{"a,y\n1\n", "line 2 has 1 fields, the first line names 2 columns", table.CSV{Label: "y"}},
		{"a,y\n1,\n2,1\n", "line 2, column y: the label is empty", table.CSV{Label: "y"}},
		{"a,y\n1, \n", "the label is empty", table.CSV{Label: "y"}},
		{"a,y\n1,H\xfctte\n", "line 2 is not UTF-8; save the file as UTF-8", table.CSV{Label: "y"}},
		{"\xff\xfea\x00", "UTF-16", table.CSV{Label: "y"}},
		{"a,y,y\n1,2,3\n", `columns 2 and 3 have the same name "y"`, table.CSV{Label: "y"}},
		{"a, y,y\n1,2,3\n", `same name "y"`, table.CSV{Label: "y"}},
		{",a,y\n0,1,2\n", "has no name", table.CSV{Label: "y"}},
		{"a;y\n1;2\n", "no commas", table.CSV{Label: "y"}},
		{"a,y\n1,b\x1b[31m\n", "control character", table.CSV{Label: "y"}},
		{"a,y\n1,1\n2,1.0\n", "written in two ways", table.CSV{Label: "y"}},
		{"a,y\n1,70000\n", "label 70000", table.CSV{Label: "y"}},
		{"a,y\n1,c\n", `label "c" is none of the classes a, b`, table.CSV{Label: "y", Classes: []string{"a", "b"}}},
		{"a,y\n1,c\n", "classes are those of the label column", table.CSV{Classes: []string{"a", "b"}}},
		{"a,y\n1,c\n", `"y" is named in two options`, table.CSV{Label: "y", Ignore: []string{"y"}}},
		{"a,y\n1,c\n", "which only tables with", table.CSV{Targets: map[string]table.Reading{"a": table.AsSeries}}},
		{"sample,a,y\n1,2,c\n", "without the other", table.CSV{Label: "y"}},
		{"a,y\n1,2,3\n", "line 2 has 3 fields", table.CSV{Label: "y"}},
		{"Sample,Time,a\nq,0,1\nq,1,1\n", "but for capitals", table.CSV{}},
		{"a,y\n2,c\n", "a long table has", table.CSV{Label: "y", Layout: table.Long}},
		{"sample,time,a\nq,0,1\nr,0,1\nq,1,1\n", `line 4, column time: sample "q" goes on`, table.CSV{}},
		{"sample,time,a\nq,1,1\nq,1,1\n", "does not follow 1", table.CSV{}},
		{"sample,time,a\nq,0,1\nq,1,1\nq,3,1\n", "regular grid", table.CSV{}},
		{"sample,time,a\nq,x,1\n", "no finite number", table.CSV{}},
		{"sample,time,a\n,0,1\n", "the sample has no name", table.CSV{}},
		{"sample,time,a,y\nq,0,1,u\nq,1,1,v\n", `label "v" of a sample that began with "u"`, table.CSV{Label: "y"}},
		{"sample,time,a,g\nq,0,1,1\nq,1,1,2\n", "targets: {g: series}", table.CSV{Targets: long}},
	} {
		_, err := parse(t, c.in, c.o)
		checkError(t, c.in, err, c.want)
		if err != nil && strings.ContainsAny(err.Error(), "\x1b") {
			t.Errorf("%q: the error steers a terminal: %q", c.in, err)
		}
	}
	checkError(t, "path", table.CSV{}.Validate(), "no path")
	checkError(t, "layout", table.CSV{Path: "x", Layout: "tall"}.Validate(), "wide or long")
	checkError(t, "reading", table.CSV{Path: "x", Targets: map[string]table.Reading{"a": "b"}}.Validate(), "class, value or series")
	_, _, err := table.CSV{Path: "absent.csv"}.Open(t.Context(), data.Options{})
	if !errors.Is(err, os.ErrNotExist) {
		t.Errorf("absent: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := table.Read(ctx, strings.NewReader("a,y\n1,2\n"), "t", table.CSV{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// The names of values are kept, in their order, so that a table with others is noticed.
func TestColumns(t *testing.T) {
	src, err := parse(t, "b,y,id,a\n1,u,7,2\n3,v,8,4\n", table.CSV{Label: "y", Ignore: []string{"id"}})
	if err != nil || !slices.Equal(src.Spec().Columns, []string{"b", "a"}) {
		t.Errorf("columns %v, %v, want b, a", src.Spec().Columns, err)
	}
}

// The tables that went wrong.
func TestCases(t *testing.T) {
	dir := shared.File(t, "cases")
	for name, want := range map[string]string{"latin1.csv": "line 2 is not UTF-8", "missing-label.csv": "line 2, column y: the label is empty", "bom-quoted.csv": ""} {
		src, _, err := table.CSV{Path: filepath.Join(dir, name), Label: "y"}.Open(t.Context(), data.Options{})
		if want == "" && (err != nil || src.Len() != 2) || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
}

// Labels that are numbers sort as numbers.
func TestNumberLabels(t *testing.T) {
	src, err := parse(t, "a,y\n1,10.0\n1,2.0\n1,1.0\n1,-3\n", table.CSV{Label: "y"})
	if err != nil || !slices.Equal(src.Spec().Targets[0].Classes, []string{"-3", "1.0", "2.0", "10.0"}) {
		t.Fatalf("%v", err)
	}
	if target, _ := src.Target(0, 0); target.Class != 3 {
		t.Errorf("class %d", target.Class)
	}
}

// Classes of training and test are numbered alike.
func TestTestFile(t *testing.T) {
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a.csv"), filepath.Join(dir, "b.csv")
	write := func(train, test string) (sample.Source, sample.Source, error) {
		if err := errors.Join(os.WriteFile(a, []byte(train), 0o644), os.WriteFile(b, []byte(test), 0o644)); err != nil {
			t.Fatal(err)
		}
		return table.CSV{Path: a, Test: b, Label: "y"}.Open(t.Context(), data.Options{})
	}
	train, test, err := write("x,y\n1,b\n2,c\n", "x,y\n3,a\n4,c\n")
	if err != nil || !train.Spec().Equal(test.Spec()) || len(test.Spec().Targets[0].Classes) != 3 {
		t.Fatalf("%v", err)
	}
	if x, y := all(t, train), all(t, test); x[1].Targets[0].Class != 2 || y[0].Targets[0].Class != 0 || y[1].X[0] != 4 {
		t.Errorf("%v, %v", x, y)
	}
	_, _, err = write("x,y\n1,b\n", "z,y\n3,a\n")
	checkError(t, "columns", err, b, "not those of the training file")
}

// A line that does not end is refused before it is in memory.
func TestEndlessLine(t *testing.T) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := table.Read(t.Context(), io.MultiReader(strings.NewReader("a,y\n"), &endless{}), "t", table.CSV{Label: "y"})
	runtime.ReadMemStats(&after)
	checkError(t, "endless", err, "line 2 is longer than 16777216 bytes")
	if taken := after.TotalAlloc - before.TotalAlloc; taken > 128<<20 {
		t.Errorf("%d bytes were taken", taken)
	}
}

type endless struct{}

func (*endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = '1'
	}
	return len(p), nil
}

// A table takes hardly more memory than its values.
func TestMemory(t *testing.T) {
	const lines, columns = 40000, 50
	line := strings.TrimSuffix(strings.Repeat("1,", columns), ",") + "\n"
	in := io.MultiReader(strings.NewReader(strings.ReplaceAll(head(columns), "\r", "")), &repeated{line: line, n: lines})
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	src, err := table.Read(t.Context(), in, "t", table.CSV{})
	runtime.GC()
	runtime.ReadMemStats(&after)
	if err != nil || src.Len() != lines {
		t.Fatal(err)
	}
	values := int64(lines * columns * 8)
	if src.Spec().Size() != columns {
		t.Errorf("spec %v", src.Spec())
	}
	if held := int64(after.HeapAlloc) - int64(before.HeapAlloc); held > values*12/10 {
		t.Errorf("%d bytes are held for values of at most %d", held, values)
	}
	runtime.KeepAlive(src)
}

func head(columns int) string {
	var names []string
	for i := range columns {
		names = append(names, fmt.Sprintf("c%d", i))
	}
	return strings.Join(names, ",") + "\n"
}

type repeated struct {
	line string
	n    int
	rest string
}

func (r *repeated) Read(p []byte) (int, error) {
	if r.rest == "" {
		if r.n == 0 {
			return 0, io.EOF
		}
		r.n--
		r.rest = r.line
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

func FuzzRead(f *testing.F) {
	f.Add("a,y\n1,0\n")
	f.Add("\"a\"\"\",y\n1,b\n2,c\n")
	f.Add("sample,time,a,y\nq,0,1,u\nq,1,2,u\nr,0,3,v\n")
	f.Add("\ufeff\"a\",\"y\"\n1,0\n")
	f.Fuzz(func(t *testing.T, in string) {
		for _, c := range []table.CSV{{Label: "y"}, {Targets: map[string]table.Reading{"a": table.AsValue}}} {
			src, err := table.Read(t.Context(), strings.NewReader(in), "f", c)
			if err != nil {
				continue
			}
			if err := src.Spec().Validate(); err != nil {
				t.Fatal(err)
			}
			for i := range min(src.Len(), 4) {
				s := sample.Sample{X: make([]tensor.Float, src.Spec().Size())}
				if err := src.Read(t.Context(), i, &s); err != nil {
					t.Fatal(err)
				}
				for k, target := range s.Targets {
					if err := src.Spec().Targets[k].Check(target); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
	})
}

func ExampleRead() {
	const in = "length,width,species\n5.1,3.5,setosa\n6.7,3.1,virginica\n"
	src, err := table.Read(context.Background(), strings.NewReader(in), "flowers.csv", table.CSV{Label: "species"})
	if err != nil {
		fmt.Println(err)
		return
	}
	target, err := src.Target(1, 0)
	fmt.Println(src.Len(), src.Spec(), src.Spec().Targets[0].Classes, target.Class, src.Origin(1), err)
	// Output: 2 1×1×2 [setosa virginica] 1 flowers.csv: line 3 <nil>
}

// Lines that end in carriage returns alone made one line of names of the whole table.
func TestCarriageReturnsMergeLines(t *testing.T) {
	for _, in := range []string{"a,y\r1,0\r2,1\r", "\"a\",\"y\"\r1,0\r", "a,y\n1,0\r2,1\n"} {
		_, err := parse(t, in, table.CSV{Label: "y"})
		checkError(t, in, err, "carriage return")
	}
	if _, err := parse(t, "a,y\r\n1,0\r\n2,1\r\n", table.CSV{Label: "y"}); err != nil {
		t.Error(err)
	}
}

// A number beyond 32 bits was called none.
func TestNumberThatDoesNotFit(t *testing.T) {
	if tensor.Misfit(1e300) == "" {
		t.Skip("numbers of this build are doubles")
	}
	_, err := parse(t, "a,y\n1e300,0\n", table.CSV{Label: "y"})
	checkError(t, "1e300", err, `line 2, column a: "1e300"`, "32 bits")
}
