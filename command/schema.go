package command

type schemaCmd struct{}

// Help is the verb's longer help.
func (schemaCmd) Help() string {
	return `An editor with a YAML language server completes and checks a file that names the
schema in a comment at its top:

  synfire schema > synfire.schema.json
  # yaml-language-server: $schema=synfire.schema.json`
}

// Run prints the schema.
func (schemaCmd) Run(a *app) error {
	schema, err := a.Catalog.JSONSchema()
	if err != nil {
		return err
	}
	_, err = a.out.Write(schema)
	return err
}
