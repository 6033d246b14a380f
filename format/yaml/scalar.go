package yaml

import (
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// decodeScalar fills a boolean, a number, a string or a duration.
func (d *decoder) decodeScalar(n *node, v reflect.Value, p *path) {
	switch {
	case v.Type() == durationType:
		d.decodeDuration(n, v, p)
	case v.Kind() == reflect.Bool:
		if n.kind != boolean {
			d.expected(n, "true or false", p, "")
			return
		}
		v.SetBool(strings.EqualFold(n.text, "true"))
	case v.Kind() == reflect.String:
		if n.kind != text {
			d.expected(n, "a string", p, quoteHint(n))
			return
		}
		v.SetString(n.text)
	case v.CanInt(), v.CanUint():
		d.decodeInteger(n, v, p)
	case v.CanFloat():
		d.decodeFloat(n, v, p)
	default:
		d.program(n, p, "cannot decode into the Go type %s", v.Type())
	}
}

func quoteHint(n *node) string {
	if !n.isScalar() {
		return ""
	}
	return "put it in quotes: " + short(n.text)
}

func (d *decoder) decodeDuration(n *node, v reflect.Value, p *path) {
	const want, hint = "a duration", "write a number with its unit, such as 1m30s or 250ms"
	if n.kind != text {
		d.expected(n, want, p, hint)
		return
	}
	t, err := time.ParseDuration(n.text)
	if err != nil {
		d.expected(n, want, p, hint)
		return
	}
	v.SetInt(int64(t))
}

func (d *decoder) decodeInteger(n *node, v reflect.Value, p *path) {
	if n.kind != integer {
		d.expected(n, "an integer", p, integerHint(n))
		return
	}
	if v.CanInt() {
		i, err := strconv.ParseInt(n.text, 0, 64)
		if err != nil || v.OverflowInt(i) {
			lowest := int64(math.MinInt64) >> (64 - v.Type().Bits())
			d.outOfRange(n, p, v, fmt.Sprintf("%d to %d", lowest, ^lowest))
			return
		}
		v.SetInt(i)
		return
	}
	u, err := strconv.ParseUint(strings.TrimPrefix(n.text, "+"), 0, 64)
	if err != nil || v.OverflowUint(u) {
		d.outOfRange(n, p, v, fmt.Sprintf("0 to %d", uint64(math.MaxUint64)>>(64-v.Type().Bits())))
		return
	}
	v.SetUint(u)
}

func integerHint(n *node) string {
	if n.kind == text && plainKind(n.text) == integer {
		return "remove the quotes"
	}
	x, err := strconv.ParseFloat(n.text, 64)
	if n.kind == float && err == nil && x == math.Trunc(x) && math.Abs(x) < 1e15 {
		return fmt.Sprintf("write %.0f", x)
	}
	return ""
}

func (d *decoder) outOfRange(n *node, p *path, v reflect.Value, bounds string) {
	d.add(n.pos, p, fmt.Sprintf("%s is out of range", cut(n.text)), fmt.Sprintf("%s holds %s", v.Kind(), bounds), nil)
}

// decodeFloat parses at the field's own precision, so that a float32 is rounded
// once.
func (d *decoder) decodeFloat(n *node, v reflect.Value, p *path) {
	if n.kind != integer && n.kind != float {
		hint := ""
		if k := plainKind(n.text); n.kind == text && (k == integer || k == float) {
			hint = "remove the quotes"
		}
		d.expected(n, "a number", p, hint)
		return
	}
	if specialForm.MatchString(n.text) {
		d.expected(n, "a finite number", p, "")
		return
	}
	if u, err := strconv.ParseInt(n.text, 0, 64); n.kind == integer && err == nil && strings.ContainsAny(n.text, "xo") {
		v.SetFloat(float64(u))
		return
	}
	bits := v.Type().Bits()
	x, err := strconv.ParseFloat(n.text, bits)
	if err != nil {
		d.outOfRange(n, p, v, fmt.Sprintf("numbers up to %.3g", map[int]float64{32: math.MaxFloat32, 64: math.MaxFloat64}[bits]))
		return
	}
	v.SetFloat(x)
}
