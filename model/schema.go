package model

import (
	"bytes"
	"encoding/json"

	"synfire/format/yaml"
)

// Schema is the JSON schema of the files that the table decodes. A nil doc
// describes nothing. That of this module's catalogue is catalog.Schema.
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
