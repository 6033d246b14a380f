package exchange

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"text/tabwriter"

	"synfire/exchange/certify"
	"synfire/exchange/nir"
	"synfire/sample"
)

// Certify is the verb certify.
type Certify struct {
	File       string   `arg:"" help:"NIR file."`
	DT         float64  `name:"dt" help:"Length of a step in the file's unit of time; none: a twenty-fifth of its shortest time constant, or 1." placeholder:"TIME"`
	Reset      string   `help:"What a spike does to the voltage: subtract, zero or none." enum:"subtract,zero,none" default:"subtract"`
	Method     string   `help:"How equations become steps: exact or euler." enum:"exact,euler" default:"exact"`
	Strict     bool     `help:"Fire above the threshold only, not at it."`
	Refractory int      `help:"Steps of silence after a spike." placeholder:"N"`
	Floor      float64  `help:"Least voltage of neurons, below 0, as Sinabs has it (--floor=-1); none: 0." placeholder:"VOLTAGE"`
	Coupling   string   `help:"How the current of a synapse charges a membrane: held over a step (euler), decaying (exact), or whole (unit)." enum:"euler,exact,unit" default:"euler"`
	Steps      int      `help:"Steps of the input that is made up where none is given." default:"100" placeholder:"N"`
	Input      string   `help:"Input: a CSV file, a row a step, channels first. None: that of the first trace." placeholder:"FILE.csv"`
	Against    []string `help:"Trace of another program: a CSV file, a row a step, of inputs, voltages and spikes. Repeatable." placeholder:"FILE.csv" sep:"none"`
	JSON       bool     `help:"Print JSON."`
}

// Help is the verb's longer help.
func (Certify) Help() string {
	return `Tells what a NIR file means. Its network is run here, and held against an evaluation of
the file's equations that shares no code with the engine: step by step, and exactly from
spike to spike; against the other readings that the file leaves open; and against traces
of other programs, each of which is explained by the reading that gives it again. Exit
code 3 where spikes do not agree. See docs/nir.md.

  synfire certify lif.nir --dt 0.0001 --against lif_lava_cpu_float.csv`
}

// notMet is the exit code of a claim that is not met.
const notMet = 3

// Run certifies.
func (c *Certify) Run(e Env) error {
	cert, err := c.check()
	if err != nil {
		return fmt.Errorf("certify %s: %w", c.File, err)
	}
	if c.JSON {
		err = json.NewEncoder(e.Out).Encode(cert)
	} else {
		err = printCertificate(e.Out, cert)
	}
	if err == nil && !cert.Agrees {
		return Exit(notMet)
	}
	return err
}

func (c *Certify) check() (certify.Certificate, error) {
	f, err := formatOf(c.File)
	if err == nil && f.name != "nir" {
		err = errors.New("expected a NIR file, whose equations leave readings open")
	}
	if err == nil && (c.Steps < 1 || c.Steps > 100_000) {
		err = fmt.Errorf("steps is %d, want 1 to 100000", c.Steps)
	}
	if err != nil {
		return certify.Certificate{}, err
	}
	g, err := nir.Read(c.File)
	if err != nil {
		return certify.Certificate{}, err
	}
	if c.DT == 0 {
		c.DT = certify.Step(g)
	}
	s := certify.Setting{Steps: c.Steps}
	if s.Options, err = options(c.DT, c.Reset, c.Method, c.Strict, c.Refractory, c.Coupling); err != nil {
		return certify.Certificate{}, err
	}
	s.Options.Floor = c.Floor
	if c.Input != "" {
		if s.Input, err = readRows(c.Input); err != nil {
			return certify.Certificate{}, err
		}
	}
	for _, path := range c.Against {
		rows, err := readRows(path)
		if err != nil {
			return certify.Certificate{}, err
		}
		s.Traces = append(s.Traces, certify.Trace{Name: filepath.Base(path), Rows: rows})
	}
	return certify.Check(g, s)
}

// mostNumbers bounds a CSV file.
const mostNumbers = 1 << 26

// readRows reads numbers, a row a line.
func readRows(path string) (rows [][]float64, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r := csv.NewReader(f)
	r.TrimLeadingSpace, r.ReuseRecord = true, true
	for numbers := 0; ; {
		record, err := r.Read()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		row := make([]float64, len(record))
		for i, text := range record {
			if row[i], err = strconv.ParseFloat(text, 64); err != nil {
				return nil, fmt.Errorf("%s: row %d, column %d is %q, want a number; leave headers out", path, len(rows)+1, i+1, sample.Printable(text))
			}
		}
		if numbers += len(row); numbers > mostNumbers {
			return nil, fmt.Errorf("%s: more than %d numbers; cut it", path, mostNumbers)
		}
		rows = append(rows, row)
	}
	if len(rows) == 0 {
		return nil, fmt.Errorf("%s: no rows, want one a step", path)
	}
	return rows, nil
}

// printCertificate prints a certificate for people.
func printCertificate(out io.Writer, c certify.Certificate) error {
	var nodes []node
	for _, n := range c.Nodes {
		nodes = append(nodes, node{n.Name, n.Kind, n.To, n.Lost})
	}
	if err := printNodes(out, "NOT SAID BY THE FILE", nodes); err != nil {
		return err
	}
	fmt.Fprintf(out, "\n%d steps of %v.\n\n", c.Steps, c.DT)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "AGAINST\tSPIKES\tVOLTAGES DIFFER BY\tWHY")
	for _, a := range c.Against {
		if strings.HasPrefix(a.Trace, "spikes ") {
			continue
		}
		spikes := "equal"
		if !a.SpikesEqual {
			spikes = "differ"
		}
		by := fmt.Sprintf("%.2g", a.MaxError)
		if a.Scale != 0 && a.Scale != 1 {
			by += fmt.Sprintf(" at scale %.4g", a.Scale)
		}
		why := a.Why
		if a.First != nil && a.First.Cause != "" && a.Why != "" {
			why = a.First.Cause + ": " + why
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", sample.Printable(a.Trace), spikes, by, why)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if d := c.First; d != nil {
		fmt.Fprintf(out, "\nFirst difference: node %q, neuron %d, step %d: %.6g expected, %.6g found. Cause: %s.\n", d.Node, d.Neuron, d.Step, d.Expected, d.Found, d.Cause)
	}
	verdict := "The spikes agree."
	if !c.Agrees {
		verdict = "The spikes do not agree."
	}
	_, err := fmt.Fprintln(out, "\n"+verdict)
	return err
}
