package command

import (
	"encoding/json"

	"synfire/bench"
)

type doctorCmd struct {
	JSON bool `help:"Print JSON."`
}

// Run checks the machine; it fails with exit code 1 where a check does.
func (c *doctorCmd) Run(a *app) error {
	h := bench.Check()
	for _, d := range a.Catalog.Datasets {
		h.Data[d.Name] = d.Status(dataOptions(a, "")).Status
	}
	var err error
	if c.JSON {
		err = json.NewEncoder(a.out).Encode(h)
	} else {
		err = a.Health(h)
	}
	if err == nil && !h.OK {
		err = codeError(exitFailed)
	}
	return err
}
