package energy

import (
	"errors"
	"fmt"
	"math"
	"os"

	"synfire/format/yaml"
)

// Constants are what operations and accesses cost, in pJ. Keys of a file that are left out are
// those of Horowitz.
type Constants struct {
	Name   string `yaml:"name,required" json:"name"`
	Source string `yaml:"source,required" json:"source"`

	MAC float64 `yaml:"mac" json:"mac_pj"` // a multiply-accumulate of the papers' account
	AC  float64 `yaml:"ac" json:"ac_pj"`   // an addition there

	Multiply   float64 `yaml:"multiply" json:"multiply_pj"`        // of the account with memory: a product of quantised numbers
	Add        float64 `yaml:"add" json:"add_pj"`                  // to a sum or a membrane
	Access     float64 `yaml:"access" json:"access_pj"`            // of the memory, of AccessBits
	AccessBits float64 `yaml:"access-bits" json:"access_bits"`     // that an access moves
	Weight     float64 `yaml:"weight-bits" json:"weight_bits"`     // of a weight
	Membrane   float64 `yaml:"membrane-bits" json:"membrane_bits"` // of a membrane
	Pixel      float64 `yaml:"input-bits" json:"input_bits"`       // of an element of the input
}

// Energy is one line of a table.
type Energy struct {
	What  string
	PJ    float64
	Known string // how the figure is known
}

// Table is what Horowitz gives for 45 nm at 0.9 V ("Computing's energy problem", ISSCC 2014).
// Where the figure was checked it is against a later paper's table; the slides were not at hand.
func Table() []Energy {
	const checked, quoted = "checked: PMC8934428, table 3", "as commonly quoted"
	return []Energy{
		{"addition, 32-bit floating point", 0.9, checked},
		{"multiplication, 32-bit floating point", 3.7, checked},
		{"addition, 32-bit integer", 0.1, checked},
		{"multiplication, 32-bit integer", 3.1, checked},
		{"addition, 8-bit integer", 0.03, quoted},
		{"multiplication, 8-bit integer", 0.2, quoted},
		{"64 bits of SRAM, 8 KB", 10, checked},
		{"64 bits of SRAM, 32 KB", 20, quoted},
		{"64 bits of SRAM, 1 MB", 100, quoted},
		{"64 bits of DRAM", 1300, "as commonly quoted, the lower end of 1,300 to 2,600"},
	}
}

// Horowitz is the default: 32-bit floating point for the papers' account; 8-bit weights, 32-bit
// sums, 16-bit membranes and an SRAM of 32 KB for the one with memory.
func Horowitz() Constants {
	return Constants{
		Name: "45 nm, SRAM 32 KB", Source: "Horowitz, ISSCC 2014",
		MAC: 4.6, AC: 0.9, Multiply: 0.2, Add: 0.1,
		Access: 20, AccessBits: 64, Weight: 8, Membrane: 16, Pixel: 8,
	}
}

// Default is the name of Horowitz's constants.
const Default = "45nm"

// Named are the constants of a YAML file, or with the name Default or none those of Horowitz.
func Named(name string) (Constants, error) {
	if name == "" || name == Default {
		return Horowitz(), nil
	}
	src, err := os.ReadFile(name)
	if err != nil {
		return Constants{}, fmt.Errorf("energy: %w; give a YAML file of constants, or %s", err, Default)
	}
	return Decode(name, src)
}

// Decode reads constants of the user's own from YAML; name stands in errors.
func Decode(name string, src []byte) (Constants, error) {
	c := Horowitz()
	c.Name, c.Source = "", ""
	if err := yaml.Decode(name, src, &c, nil); err != nil {
		return Constants{}, err
	}
	return c, nil
}

// Validate returns an error for what is no energy or no number of bits.
func (c Constants) Validate() error {
	var errs []error
	for _, v := range []struct {
		key      string
		v        float64
		positive bool
	}{
		{"mac", c.MAC, true}, {"ac", c.AC, true}, {"multiply", c.Multiply, false}, {"add", c.Add, true}, {"access", c.Access, false},
		{"access-bits", c.AccessBits, true}, {"weight-bits", c.Weight, true}, {"membrane-bits", c.Membrane, true}, {"input-bits", c.Pixel, true},
	} {
		if !(v.v >= 0) || math.IsInf(v.v, 0) || v.positive && v.v == 0 {
			errs = append(errs, fmt.Errorf("%s is %v, want a positive number of pJ or bits", v.key, v.v))
		}
	}
	return errors.Join(errs...)
}

// bits is what it takes to move some bits.
func (c Constants) bits(n float64) float64 { return n * c.Access / c.AccessBits }

// product is e_w + e_mac + b·e_bit.
func (c Constants) product(bits float64) float64 {
	return c.bits(c.Weight) + c.Multiply + c.Add + c.bits(bits)
}

// addition is e_w + e_ac + 2·e_v.
func (c Constants) addition(f DataFlow) float64 { return c.bits(c.Weight) + c.sum(f) }

// sum is e_ac + 2·e_v.
func (c Constants) sum(f DataFlow) float64 {
	if f == Scatter {
		return c.Add + 2*c.bits(c.Membrane)
	}
	return c.Add
}
