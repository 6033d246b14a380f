// Command schema writes the JSON schema of the YAML of training runs anew, from
// the table of kinds and the comments in the code. Run it at the top of the
// module: go generate .
package main

import (
	"log"
	"os"

	"synfire/catalog"
)

func main() {
	log.SetFlags(0)
	schema, err := generate(".")
	if err != nil {
		log.Fatal(err)
	}
	if err := os.WriteFile(catalog.SchemaFile, schema, 0o644); err != nil {
		log.Fatal(err)
	}
}

// generate makes the schema; root is the top of the module.
func generate(root string) ([]byte, error) {
	c := &comments{root: root, packages: map[string]docs{}}
	schema, err := catalog.Default().Schema(c.of)
	if err != nil {
		return nil, err
	}
	return schema, c.err
}
