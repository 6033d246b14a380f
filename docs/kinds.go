package docs

import (
	"encoding/json"
	"fmt"
	"strings"

	"synfire/catalog"
)

// Kinds is the page of all kinds that a YAML file may name, with their equations, keys
// and defaults: what `synfire kinds NAME` prints of each.
func Kinds(c catalog.Catalog) (string, error) {
	list, err := c.Described("")
	if err != nil {
		return "", err
	}
	var index, body strings.Builder
	of := ""
	for _, k := range list {
		if k.Of != of {
			of = k.Of
			fmt.Fprintf(&index, "\n- [%s](#%s):", of, of)
			fmt.Fprintf(&body, "\n## %s\n", of)
		}
		fmt.Fprintf(&index, " %s", k.Kind)
		writeKind(&body, k)
	}
	return `# Kinds

All that a YAML file of a training run may name, with equations, keys and defaults. The
page is written by ` + "`go generate .`" + ` from the table that the program decodes files with;
` + "`synfire kinds NAME`" + ` prints the same.
` + index.String() + "\n" + body.String(), nil
}

func writeKind(w *strings.Builder, k catalog.KindInfo) {
	fmt.Fprintf(w, "\n### %s\n\n", k.Kind)
	for _, p := range strings.Split(k.Doc, "\n\n") {
		if strings.HasPrefix(p, "\t") { // equations keep their lines
			p = "    " + strings.ReplaceAll(strings.TrimSpace(p), "\n\t", "\n    ")
		}
		fmt.Fprintf(w, "%s\n\n", p)
	}
	fmt.Fprintf(w, "Go type `%s`.", k.Source)
	if len(k.Keys) == 0 {
		fmt.Fprint(w, " It has no keys.\n")
		return
	}
	fmt.Fprint(w, "\n\n| Key | Type | Default | |\n|---|---|---|---|\n")
	for _, key := range k.Keys {
		value := "–"
		if key.Required {
			value = "required"
		} else if raw, err := json.Marshal(key.Default); err == nil && key.Default != nil {
			value = "`" + string(raw) + "`"
		}
		what, _, _ := strings.Cut(key.Doc, "\n\n")
		fmt.Fprintf(w, "| `%s` | %s | %s | %s |\n", key.Name, cell(key.Type), cell(value), cell(what))
	}
}

// cell is text that fits into a cell of a table.
func cell(s string) string {
	return strings.ReplaceAll(strings.Join(strings.Fields(s), " "), "|", `\|`)
}
