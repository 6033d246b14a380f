package command_test

import (
	"bytes"
	"fmt"
	"os"
	"strings"

	"synfire/catalog"
	"synfire/command"
	"synfire/layer"
	"synfire/model"
	"synfire/recipe/all"
)

// A program with a kind of layer of its own. Its main would be one call of Main.
func Example() {
	c := catalog.Default()
	c.Layers["leak"] = model.Kind{New: func() any { return &layer.ReLU{Slope: 0.1} }, Example: layer.ReLU{Slope: 0.1}}
	p := command.Program{Name: "mine", Catalog: c, Recipes: all.Recipes()}

	var out bytes.Buffer
	code := p.Execute([]string{"kinds", "leak"}, &out, os.Stderr)
	first, _, _ := strings.Cut(out.String(), "\n")
	fmt.Println(code, first)
	// Output: 0 leak  layer, Go type synfire/layer.ReLU
}
