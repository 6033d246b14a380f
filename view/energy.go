package view

import (
	"fmt"
	"strings"

	"synfire/convert"
	"synfire/energy"
	"synfire/report"
	"synfire/report/figure"
)

// account is an account of energy as a table with what there is to say of it.
type account struct {
	title string
	table [][]string
	text  string
}

// Energy prints the accounts of one network.
func (s Screen) Energy(a energy.Account) {
	fmt.Fprintf(s.Out, "\n%s  %s (%s), steps of a sample: %d, on %d samples\n", s.Style(Bold, "energy"), a.Constants.Name, a.Constants.Source, a.NeuroBench.Steps, a.NeuroBench.Samples)
	memory := [][]string{{"", "first layer", "synapses", "scan", "neurons", "total µJ", "rate", "crossing"}}
	for _, m := range a.Memory {
		memory = append(memory, append(costRow(m.Flow, m.Cost), optional(m.Rate), optional(m.Crossing)))
	}
	text := "An ordinary network of 8-bit activations; zeros are left out."
	if len(a.Memory) > 1 {
		text = fmt.Sprintf("Above the crossing, in spikes of an input and step, an ordinary network of %d-bit activations, none of them 0, needs less for its weights. That it is as accurate is not known.", a.Memory[0].Bits)
	}
	s.accounts([]account{
		{"papers", [][]string{papersHead, papersRow("network", a.Papers)}, papersText(a.Papers)},
		{"neurobench", benchTable([]string{"network"}, a.NeuroBench), benchText(a.NeuroBench)},
		{"with memory", memory, text},
	})
}

func (s Screen) accounts(all []account) {
	for _, a := range all {
		fmt.Fprintf(s.Out, "\n%s\n", s.Style(Bold, a.title))
		s.Grid(a.table)
		if a.text != "" {
			s.Paragraph(0, a.text)
		}
	}
}

var papersHead = []string{"", "spikes", "first layer", "other products", "total µJ"}

func papersRow(name string, p energy.Papers) []string {
	return []string{name, Short(p.Spikes), Short(p.First), Short(p.Products), Short(p.Total)}
}

func papersText(p energy.Papers) string {
	text := ""
	if p.First > 0 {
		text = fmt.Sprintf("The first layer is multiplied once and kept; in each step it would be %s µJ. ", Short(p.FirstEachStep))
	}
	if p.Updates > 0 {
		text += fmt.Sprintf("Not in the total: %s µJ for additions to membranes.", Short(p.Updates))
	}
	return text
}

// benchTable has a column for each network.
func benchTable(names []string, list ...energy.NeuroBench) [][]string {
	rows := [][]string{append([]string{""}, names...), {"footprint, bytes"}, {"connection sparsity"}, {"activation sparsity"}, {"synaptic operations, dense"}, {"effective MACs"}, {"effective ACs"}, {"membrane updates"}, {"neuron operations"}, {"neuron operations, dense"}}
	for _, b := range list {
		for i, text := range []string{
			report.Integer(int64(b.Footprint)), optional(b.ConnectionSparsity), optional(b.ActivationSparsity), count(b.Dense), count(b.EffectiveMACs),
			count(b.EffectiveACs), count(b.MembraneUpdates), optionalCount(b.NeuronOps), optionalCount(b.NeuronOpsDense),
		} {
			rows[i+1] = append(rows[i+1], text)
		}
	}
	return rows
}

func benchText(list ...energy.NeuroBench) string {
	for _, b := range list {
		if b.Why != "" {
			return b.Why + "."
		}
	}
	return ""
}

func costRow(name string, c energy.Cost) []string {
	return []string{name, Short(c.First), Short(c.Synapses), Short(c.Scan), Short(c.Neurons), Short(c.Total)}
}

func count(v float64) string { return report.Integer(int64(v + 0.5)) }

func optionalCount(v *float64) string {
	if v == nil {
		return "–"
	}
	return count(*v)
}

// optional is a share, or a dash where there is none.
func optional(v *float64) string {
	if v == nil {
		return "–"
	}
	return fmt.Sprintf("%.4f", *v)
}

// accountsOf are the accounts of a conversion, beside the ordinary network.
func accountsOf(r convert.Result) []account {
	e, last := r.Energy, r.Points[len(r.Points)-1]
	p, q := last.Work.Papers(e.Constants), e.Quantised
	ordinary := fmt.Sprintf("ordinary, %d bits", q.Bits)
	memory := [][]string{{"", "first layer", "synapses", "scan", "neurons", "total µJ", "rate", "crossing", "all counted"}, append(costRow(ordinary, q.Cost(e.Constants)), "–", "–", "–")}
	why := ""
	for _, c := range e.Beside {
		memory = append(memory, append(costRow(c.Flow.String(), c.Cost), optional(c.Rate), optional(c.Crossing), optional(c.All)))
		if c.Why != "" {
			why += fmt.Sprintf(" %s: %s.", c.Flow, c.Why)
		}
	}
	return []account{
		{"papers", [][]string{papersHead, {"ordinary", "–", "–", Short(e.PapersOrdinary()), Short(e.PapersOrdinary())}, papersRow("spiking", p)}, papersText(p)},
		{"neurobench", benchTable([]string{"ordinary", "spiking"}, e.Ordinary, e.Spiking), benchText(e.Ordinary, e.Spiking)},
		{"with memory", memory, quantisedText(q) + fmt.Sprintf(" Rates are spikes of an input of a weight and step; above the crossing the spiking network needs more for its weights, above that of all counted more altogether. Published for %d steps: about %.4f.", last.Steps, energy.Published(last.Steps)) + why},
	}
}

func quantisedText(q convert.Quantised) string {
	how := "the fewest with which it is"
	if !q.Reached {
		how = "with which it is not yet"
	}
	text := fmt.Sprintf("Activations of the ordinary network have %d bits, %s as accurate as the spiking one, or as itself if that is less, on %d training samples (%.2f %%, of %.2f)", q.Bits, how, q.Samples, q.Trained, q.Aim)
	return text + fmt.Sprintf("; it has %.2f %% of those measured.", q.Accuracy)
}

// energySection is the accounts of a conversion in a page.
func energySection(r convert.Result) (report.Section, error) {
	c, last := r.Energy.Constants, r.Points[len(r.Points)-1]
	s := report.Section{Title: "Energy: " + r.Method, Text: fmt.Sprintf("Three accounts that do not agree, by the constants %s (%s), a sample in %d steps. None is that of a machine: leakage, clocks and the sending of events are in none.", c.Name, c.Source, last.Steps)}
	for _, a := range accountsOf(r) {
		t := report.Table{Caption: a.title + ". " + a.text, Head: a.table[0], Rows: a.table[1:], Right: []bool{false}}
		for range t.Head[1:] {
			t.Right = append(t.Right, true)
		}
		s.Tables = append(s.Tables, t)
	}
	var bars []figure.Bar
	add := func(name string, cost energy.Cost) {
		for _, part := range []struct {
			name string
			v    float64
		}{{"first layer", cost.First}, {"synapses", cost.Synapses}, {"scan", cost.Scan}, {"neurons", cost.Neurons}} {
			bars = append(bars, figure.Bar{Name: name + ", " + part.name, Value: part.v, Group: part.name})
		}
	}
	add("ordinary", r.Energy.Quantised.Cost(c))
	for _, b := range r.Energy.Beside {
		add(strings.Fields(b.Flow.String())[1], b.Cost) // what fits beside a bar: scatter, stationary
	}
	f, err := figure.Bars("Energy with memory", "µJ a sample", bars)
	if err != nil {
		return s, err
	}
	s.Figures = []report.Figure{{SVG: f.SVG(), Alt: "Energy with memory of the ordinary and the spiking network in parts, " + r.Method, Caption: "The ordinary network goes neuron by neuron and leaves zeros out."}}
	return s, nil
}
