package model

import (
	"bytes"
	_ "embed"
	"encoding/json"

	"synfire/format/yaml"
)

// SchemaFile is where the schema stands in the module.
const SchemaFile = "model/synfire.schema.json"

//go:embed synfire.schema.json
var schema []byte

// Schema is the JSON schema of the files that Default decodes, with
// descriptions. Editors take it from a comment at the top of a file:
//
//	# yaml-language-server: $schema=synfire.schema.json
func Schema() []byte { return bytes.Clone(schema) }

// Schema is the JSON schema of the files that the table decodes, for tables
// with kinds of their own. A nil doc describes nothing.
func (t Table) Schema(doc yaml.Doc) ([]byte, error) {
	s, err := yaml.Schema(NewConfig(), t.Kinds(), doc)
	if err != nil {
		return nil, err
	}
	s["title"] = "A training run of synfire"
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err = e.Encode(s)
	return b.Bytes(), err
}
