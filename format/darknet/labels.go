package darknet

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
)

const (
	maxLabels     = 100000 // of a picture
	maxLabelsFile = 16 << 20
)

// Label is a line of a picture's file of labels, CLASS X Y WIDTH HEIGHT: a class from 0 and
// a box by its centre and size, in fractions of the picture.
type Label struct {
	Class               int
	X, Y, Width, Height float64
}

// ReadLabels reads a file of labels, an object a line. Boxes that are empty or reach more
// than a thousandth beyond the picture are errors.
func ReadLabels(r io.Reader) ([]Label, error) {
	in, read := bufio.NewScanner(r), 0
	var all []Label
	for n := 1; in.Scan(); n++ {
		if read += len(in.Bytes()) + 1; read > maxLabelsFile {
			return nil, fmt.Errorf("darknet: labels: line %d: more than %d bytes before its end; is it a file of labels?", n, maxLabelsFile)
		}
		fields := strings.Fields(in.Text())
		if len(fields) == 0 {
			continue
		}
		l, err := label(fields)
		if err == nil && len(all) == maxLabels {
			err = fmt.Errorf("more than %d objects", maxLabels)
		}
		if err != nil {
			return nil, fmt.Errorf("darknet: labels: line %d: %w", n, err)
		}
		all = append(all, l)
	}
	if err := in.Err(); err != nil {
		return nil, fmt.Errorf("darknet: labels: %w", err)
	}
	return all, nil
}

func label(fields []string) (l Label, err error) {
	if len(fields) != 5 {
		return l, fmt.Errorf("%d fields, want 5: CLASS X Y WIDTH HEIGHT", len(fields))
	}
	if l.Class, err = strconv.Atoi(fields[0]); err != nil || l.Class < 0 {
		return l, fmt.Errorf("class %.40q, want a whole number from 0", fields[0])
	}
	for i, to := range []*float64{&l.X, &l.Y, &l.Width, &l.Height} {
		if *to, err = strconv.ParseFloat(fields[1+i], 64); err != nil {
			return l, fmt.Errorf("%.40q, want a number", fields[1+i])
		}
	}
	const most = 1e-3 // beyond the picture, by the rounding of the file
	inside := func(centre, size float64) bool { return size > 0 && centre-size/2 >= -most && centre+size/2 <= 1+most }
	if !inside(l.X, l.Width) || !inside(l.Y, l.Height) {
		return l, fmt.Errorf("a box of centre (%v, %v) and size %v×%v, want one within the picture, in fractions of it", l.X, l.Y, l.Width, l.Height)
	}
	return l, nil
}

// WriteLabels writes a file of labels, the inverse of ReadLabels.
func WriteLabels(w io.Writer, labels []Label) error {
	for _, l := range labels {
		if _, err := fmt.Fprintln(w, l.Class, l.X, l.Y, l.Width, l.Height); err != nil {
			return err
		}
	}
	return nil
}
