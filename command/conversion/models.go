package conversion

import (
	"encoding/json"
	"fmt"
	"text/tabwriter"

	"synfire/report"
	"synfire/zoo"
)

// Models is the verb models.
type Models struct {
	JSON bool `help:"Print JSON."`
}

// Help is the verb's longer help.
func (Models) Help() string {
	return `Lists networks that are part of the program, trained, rounded, and measured behind the
rounding: ordinary ones to convert, and spiking detectors. Their names stand in the place of
model files, for convert, eval, predict, detect, export, inspect and compare; a file of that
name comes before them.

  synfire convert mnist-cnn --method rmp --steps 8,16,32
  synfire detect digit-scenes photo.png --out found`
}

// Run lists them.
func (c *Models) Run(e Env) error {
	list := zoo.List()
	if c.JSON {
		return json.NewEncoder(e.Out).Encode(list)
	}
	w := tabwriter.NewWriter(e.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "NAME\tDATA\tACCURACY\tSIZE\tSTORED\tNETWORK")
	for _, m := range list {
		figure := ""
		if m.Figure != "" {
			figure = " " + m.Figure
		}
		fmt.Fprintf(w, "%s\t%s\t%.2f %%%s of %s\t%s\t%s\t%s\n", m.Name, m.Data, m.Accuracy, figure, report.Integer(int64(m.N)), report.Bytes(int64(m.Bytes)), m.Stored, m.Text)
	}
	return w.Flush()
}
