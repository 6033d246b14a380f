// Command docs writes the tables of the documentation anew from the kept
// results. Run it at the top of the module: go generate .
package main

import (
	"fmt"
	"log"
	"os"

	"synfire/docs"
	"synfire/recipe/all"
)

func main() {
	log.SetFlags(0)
	if err := run(); err != nil {
		log.Fatal(err)
	}
}

func run() error {
	runs, err := docs.Results()
	if err != nil {
		return err
	}
	for _, r := range runs {
		if err := docs.Check(r, all.Recipes()); err != nil {
			return err
		}
	}
	rows, err := docs.Benchmarks()
	if err != nil {
		return err
	}
	svg, err := docs.DensityFigure(rows)
	if err != nil {
		return err
	}
	if svg != nil {
		if err := os.WriteFile("docs/density.svg", svg, 0o644); err != nil {
			return err
		}
	}
	figures, err := docs.Figures()
	if err != nil {
		return err
	}
	if err := os.MkdirAll("docs/figures", 0o755); err != nil {
		return err
	}
	for name, svg := range figures {
		if err := os.WriteFile("docs/figures/"+name, svg, 0o644); err != nil {
			return err
		}
	}
	pages, err := docs.Pages(".", all.Recipes())
	if err != nil {
		return err
	}
	for _, p := range pages {
		if p.Is == p.Want {
			continue
		}
		if err := os.WriteFile(p.Path, []byte(p.Want), 0o644); err != nil {
			return err
		}
		fmt.Println("wrote", p.Path)
	}
	return nil
}
