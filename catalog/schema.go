package catalog

import (
	"bytes"
	_ "embed"
)

// SchemaFile is where the schema stands in the module.
const SchemaFile = "catalog/synfire.schema.json"

//go:embed synfire.schema.json
var schema []byte

// Schema is the JSON schema of the files that Default decodes, with
// descriptions; Table.Schema writes that of other catalogues. Editors take it from a
// comment at the top of a file:
//
//	# yaml-language-server: $schema=synfire.schema.json
func Schema() []byte { return bytes.Clone(schema) }
