// Command asm generates the assembly of internal/kernel. Each of its files
// writes one group of kernels; internal/kernel holds the go:generate lines and
// the Go loops that define what the kernels compute.
package main

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"

	. "github.com/mmcloughlin/avo/build"
)

func main() {
	groups := map[string]func(){"gemm": gemm, "pack": pack, "rows": rows, "events": events, "lif": lif, "elementwise": elementwise, "norm": norm, "pool": pool, "walk": walk, "relax": relaxation, "signed": signed, "lists": lists, "logistic": logistics, "philox": philox}
	group := flag.String("kernels", "", "group of kernels to generate")
	flag.Parse()
	generate, ok := groups[*group]
	if !ok {
		fmt.Fprintf(os.Stderr, "asm: -kernels %q: expected one of %q\n", *group, slices.Sorted(maps.Keys(groups)))
		os.Exit(2)
	}
	ConstraintExpr("!purego,!float64")
	generate()
	Generate()
}
