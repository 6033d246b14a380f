// Package darknet reads and writes the files of Darknet (Redmon, "Darknet: open source neural
// networks in C", 2013–2016): networks as text (.cfg) and their numbers (.weights).
//
//	[net]                   the input: width, height, channels
//	[convolutional]         filters, size, stride, pad, batch_normalize, activation
//	…                       a section a layer, KEY=VALUE a line, # and ; comments
//
// A file of weights, little-endian, is a header and then for each layer with weights float32
// numbers, in the order of the layers:
//
//	int32 major, minor, revision; seen, 64 bits from version 0.2 on and 32 before
//	convolutional   bias[n]; with batch_normalize scale[n], mean[n], variance[n];
//	                weights [n][channels/groups][size][size]
//	connected       bias[n]; weights [n][inputs]; with batch_normalize scale, mean, variance
//
// [Parse] gives sections as they stand, [Config.Layers] the shapes and the numbers of
// parameters that they mean.
package darknet

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
)

const (
	maxConfig   = 4 << 20 // bytes of a .cfg file
	maxSections = 10000
	maxExtent   = 1 << 20 // of a size in a .cfg file
	maxNumbers  = 1 << 31 // of a network
)

// Config is a .cfg file: sections in their order, the first of which is net.
type Config struct{ Sections []Section }

// Section is a header and its options, in their order.
type Section struct {
	Name    string
	Line    int
	Options []Option
}

// Option is KEY=VALUE.
type Option struct{ Key, Value string }

// Parse reads a .cfg file.
func Parse(r io.Reader) (*Config, error) {
	lines := bufio.NewScanner(io.LimitReader(r, maxConfig+1))
	lines.Buffer(nil, maxConfig)
	c, read := &Config{}, 0
	for n := 1; lines.Scan(); n++ {
		if read += len(lines.Bytes()) + 1; read > maxConfig {
			return nil, fmt.Errorf("darknet: more than %d bytes of configuration; is it a .cfg file?", maxConfig)
		}
		if err := c.line(n, strings.Join(strings.Fields(lines.Text()), "")); err != nil {
			return nil, fmt.Errorf("darknet: line %d: %w", n, err)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("darknet: %w", err)
	}
	if len(c.Sections) == 0 || c.Sections[0].Name != "net" && c.Sections[0].Name != "network" {
		return nil, fmt.Errorf("darknet: the first section is not [net]; is it a .cfg file of Darknet?")
	}
	return c, nil
}

// line takes a line without its blanks.
func (c *Config) line(n int, s string) error {
	switch {
	case s == "" || s[0] == '#' || s[0] == ';':
		return nil
	case s[0] == '[':
		name, rest, closed := strings.Cut(s[1:], "]")
		if !closed || rest != "" || name == "" {
			return fmt.Errorf("a section %.40q, want [NAME]", s)
		}
		if len(c.Sections) == maxSections {
			return fmt.Errorf("more than %d sections", maxSections)
		}
		c.Sections = append(c.Sections, Section{Name: name, Line: n})
		return nil
	}
	key, value, ok := strings.Cut(s, "=")
	if !ok || key == "" || len(c.Sections) == 0 {
		return fmt.Errorf("%.40q, want KEY=VALUE below a [section]", s)
	}
	at := &c.Sections[len(c.Sections)-1]
	at.Options = append(at.Options, Option{key, value})
	return nil
}

// Write writes a .cfg file.
func (c *Config) Write(w io.Writer) error {
	out := bufio.NewWriter(w)
	for i, s := range c.Sections {
		if i > 0 {
			fmt.Fprintln(out)
		}
		fmt.Fprintf(out, "[%s]\n", s.Name)
		for _, o := range s.Options {
			fmt.Fprintf(out, "%s=%s\n", o.Key, o.Value)
		}
	}
	return out.Flush()
}

// Text is an option of a section, the first of its key as Darknet takes it, or what it is
// by default.
func (s Section) Text(key, otherwise string) string {
	if text, ok := s.lookup(key); ok {
		return text
	}
	return otherwise
}

func (s Section) lookup(key string) (text string, ok bool) {
	for _, o := range s.Options {
		if o.Key == key {
			return o.Value, true
		}
	}
	return "", false
}

// Int is an option that is a whole number of at most 2²⁰ in size.
func (s Section) Int(key string, otherwise int) (int, error) {
	text, ok := s.lookup(key)
	if !ok {
		return otherwise, nil
	}
	v, err := strconv.Atoi(text)
	if err != nil || v < -maxExtent || v > maxExtent {
		return 0, s.fail("%s is %.40q, want a whole number of at most %d", key, text, maxExtent)
	}
	return v, nil
}

// Floats is an option that is a list of numbers.
func (s Section) Floats(key string) ([]float64, error) {
	text, ok := s.lookup(key)
	if !ok {
		return nil, nil
	}
	var out []float64
	for _, part := range strings.Split(strings.TrimSuffix(text, ","), ",") {
		v, err := strconv.ParseFloat(part, 64)
		if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, s.fail("%s has %.40q, want numbers", key, part)
		}
		out = append(out, v)
	}
	return out, nil
}

func (s Section) ints(key string) ([]int, error) {
	values, err := s.Floats(key)
	out := make([]int, len(values))
	for i, v := range values {
		if v != math.Trunc(v) || math.Abs(v) > maxExtent {
			return nil, s.fail("%s has %v, want whole numbers", key, v)
		}
		out[i] = int(v)
	}
	return out, err
}

// fail is an error in a section.
func (s Section) fail(format string, args ...any) error {
	return fmt.Errorf("darknet: section %.40q of line %d: %s", s.Name, s.Line, fmt.Sprintf(format, args...))
}
