package matrices

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"text/tabwriter"

	"gonum.org/v1/gonum/mat"

	"synfire/compare"
	"synfire/distance"
	"synfire/distance/classify"
	"synfire/format/npz"
	"synfire/internal/par"
	"synfire/internal/rng"
	"synfire/report/figure"
	"synfire/sample"
	"synfire/view"
)

// tree is the JSON of clusters.
type tree struct {
	Linkage    string   `json:"linkage"`
	Items      []string `json:"items"`
	Links      []link   `json:"links"`
	Order      []string `json:"order"`                // of the items along the tree
	Cophenetic *float64 `json:"cophenetic"`           // Pearson's r of distances and the heights at which items join; null where undefined
	Clusters   []int    `json:"clusters,omitempty"`   // of each item, from 1 on
	NClusters  int      `json:"n_clusters,omitempty"` // that were asked for

	in    items
	order []int
	joins []figure.Join
}

// link is a step; clusters are numbered from the items on.
type link struct {
	A      int     `json:"a"`
	B      int     `json:"b"`
	Height float64 `json:"height"`
	Items  int     `json:"items"`
}

func (c *Matrix) cluster(_ Env, in items) (result, error) {
	d := in.d
	if c.Squared {
		d = mapped(d, math.Sqrt)
	}
	links, err := distance.Linkage(d, distance.Method(c.Linkage))
	if err != nil {
		return nil, err
	}
	t := tree{Linkage: c.Linkage, Items: in.names, in: in, NClusters: c.Clusters}
	members := make([][]int, len(in.names))
	for i := range members {
		members[i] = []int{i}
	}
	joined := make([][]float64, len(d))
	for i := range joined {
		joined[i] = make([]float64, len(d))
	}
	for _, l := range links {
		for _, i := range members[l.A] {
			for _, j := range members[l.B] {
				joined[i][j], joined[j][i] = l.Height, l.Height
			}
		}
		both := slices.Concat(members[l.A], members[l.B])
		members = append(members, both)
		t.Links = append(t.Links, link{l.A, l.B, l.Height, len(both)})
		t.joins = append(t.joins, figure.Join{A: l.A, B: l.B, Height: l.Height})
	}
	t.order = members[len(members)-1]
	for _, i := range t.order {
		t.Order = append(t.Order, in.names[i])
	}
	if r, ok := pearson(d, joined); ok {
		t.Cophenetic = &r
	}
	if c.Clusters > 0 {
		if t.Clusters, err = distance.Cut(links, c.Clusters); err != nil {
			return nil, err
		}
		for i := range t.Clusters {
			t.Clusters[i]++
		}
	}
	return t, nil
}

// pearson is the correlation of the entries below the diagonals, if both vary.
func pearson(a, b [][]float64) (float64, bool) {
	var n, meanA, meanB float64
	each := func(f func(x, y float64)) {
		for i := range a {
			for j := range i {
				f(a[i][j], b[i][j])
			}
		}
	}
	each(func(x, y float64) { n, meanA, meanB = n+1, meanA+x, meanB+y })
	meanA, meanB = meanA/n, meanB/n
	var ab, aa, bb float64
	each(func(x, y float64) {
		ab, aa, bb = ab+(x-meanA)*(y-meanB), aa+(x-meanA)*(x-meanA), bb+(y-meanB)*(y-meanB)
	})
	least := 1e-24 * n * max(meanA*meanA, meanB*meanB)
	if aa <= least || bb <= least {
		return 0, false
	}
	return ab / math.Sqrt(aa*bb), true
}

func mapped(d [][]float64, f func(float64) float64) [][]float64 {
	out := make([][]float64, len(d))
	for i, row := range d {
		for _, v := range row {
			out[i] = append(out[i], f(v))
		}
	}
	return out
}

func (t tree) print(s view.Screen) {
	r := "undefined: all distances are equal"
	if t.Cophenetic != nil {
		r = view.Short(*t.Cophenetic)
	}
	fmt.Fprintf(s.Out, "%s linkage of %d items; correlation of the tree with the distances (cophenetic) %s\n\n", t.Linkage, len(t.Items), r)
	w := tabwriter.NewWriter(s.Out, 0, 0, 2, ' ', 0)
	lines := len(t.Links)
	if t.Clusters != nil {
		lines = len(t.Items)
		fmt.Fprintln(w, "CLUSTER\tITEM")
		for _, i := range t.order[:min(len(t.order), shownRows)] {
			fmt.Fprintf(w, "%d\t%s\n", t.Clusters[i], sample.Printable(t.Items[i]))
		}
	} else {
		fmt.Fprintln(w, "STEP\tJOINS\tAT\tITEMS")
		for i, l := range t.Links[:min(len(t.Links), shownRows)] {
			fmt.Fprintf(w, "%d\t%s and %s\t%s\t%d\n", i+1, t.called(l.A), t.called(l.B), view.Short(l.Height), l.Items)
		}
	}
	w.Flush()
	printRest(s, lines)
}

// called is an item's name, or the step that made a cluster.
func (t tree) called(i int) string {
	if i < len(t.Items) {
		return sample.Printable(t.Items[i])
	}
	return fmt.Sprintf("step %d", i-len(t.Items)+1)
}

// table has a line for each item along the tree.
func (t tree) table() [][]string {
	rows := [][]string{{"item", "place"}}
	if t.Clusters != nil {
		rows[0] = append(rows[0], "cluster")
	}
	for place, i := range t.order {
		row := []string{t.Items[i], strconv.Itoa(place + 1)}
		if t.Clusters != nil {
			row = append(row, strconv.Itoa(t.Clusters[i]))
		}
		rows = append(rows, row)
	}
	return rows
}

func (t tree) arrays() map[string]npz.Array {
	var links []float64
	for _, l := range t.Links {
		links = append(links, float64(l.A), float64(l.B), l.Height, float64(l.Items))
	}
	out := map[string]npz.Array{
		"links": npz.F64(links, len(t.Links), 4), "names": npz.Text(t.Items, len(t.Items)), "order": npz.I64(wide(t.order), len(t.order)),
		"linkage": npz.Text([]string{t.Linkage}),
	}
	if t.Clusters != nil {
		out["clusters"] = npz.I64(wide(t.Clusters), len(t.Clusters))
	}
	return out
}

func wide(v []int) []int64 {
	out := make([]int64, len(v))
	for i, x := range v {
		out[i] = int64(x)
	}
	return out
}

func (t tree) figure() (figure.Figure, error) {
	return figure.Heatmap(fmt.Sprintf("Clusters by %s linkage", t.Linkage), figure.Grid{
		Values: t.in.d, Rows: printable(t.Items), Columns: printable(t.Items), Quantity: "distance", Tree: t.joins,
	})
}

func printable(names []string) []string {
	out := make([]string, len(names))
	for i, name := range names {
		out[i] = sample.Printable(name)
	}
	return out
}

// places is the JSON of map.
type places struct {
	Items     []string    `json:"items"`
	Labels    []string    `json:"labels,omitempty"`
	Points    [][]float64 `json:"points"`    // a row for each item, in the unit of the distances
	Explained float64     `json:"explained"` // share of the positive eigenvalues
	Stress    float64     `json:"stress"`    // √(Σ (d − δ)² / Σ d²) of the distances and those of the points

	labels []int
	names  []string // of the labels
}

func (c *Matrix) place(_ Env, in items) (result, error) {
	labels, names, err := c.classes(in)
	if err != nil {
		return nil, err
	}
	d, squares := in.d, mapped(in.d, func(v float64) float64 { return v * v })
	if c.Squared {
		d, squares = mapped(in.d, math.Sqrt), in.d
	}
	n := len(d)
	flat := mat.NewDense(n, n, slices.Concat(squares...))
	rdm, err := compare.FromMatrix(flat)
	if err != nil {
		return nil, err
	}
	points, explained, err := compare.MDS(rdm, c.Dims)
	if err != nil {
		return nil, err
	}
	p := places{Items: in.names, Explained: explained, labels: labels, names: names}
	for i := range n {
		p.Points = append(p.Points, mat.Row(nil, i, points))
		if labels != nil {
			p.Labels = append(p.Labels, names[labels[i]])
		}
	}
	var off, all float64
	for i, a := range p.Points {
		for j, b := range p.Points[:i] {
			apart := 0.0
			for k := range a {
				apart += (a[k] - b[k]) * (a[k] - b[k])
			}
			off += (d[i][j] - math.Sqrt(apart)) * (d[i][j] - math.Sqrt(apart))
			all += d[i][j] * d[i][j]
		}
	}
	p.Stress = math.Sqrt(off / all)
	return p, nil
}

func (p places) print(s view.Screen) {
	fmt.Fprintf(s.Out, "map of %d items in %d dimensions; they explain %s of the variance, stress %s\n\n", len(p.Items), len(p.Points[0]), view.Short(p.Explained), view.Short(p.Stress))
	w := tabwriter.NewWriter(s.Out, 0, 0, 2, ' ', 0)
	for i, row := range p.Points[:min(len(p.Points), shownRows)] {
		fmt.Fprint(w, sample.Printable(p.Items[i]))
		if p.Labels != nil {
			fmt.Fprintf(w, "\t%s", sample.Printable(p.Labels[i]))
		}
		for _, v := range row {
			fmt.Fprintf(w, "\t%s", view.Short(v))
		}
		fmt.Fprintln(w)
	}
	w.Flush()
	printRest(s, len(p.Items))
}

func (p places) table() [][]string {
	head := []string{"item"}
	if p.Labels != nil {
		head = append(head, "label")
	}
	for k := range p.Points[0] {
		head = append(head, fmt.Sprintf("x%d", k+1))
	}
	rows := [][]string{head}
	for i, row := range p.Points {
		line := []string{p.Items[i]}
		if p.Labels != nil {
			line = append(line, p.Labels[i])
		}
		for _, v := range row {
			line = append(line, number(v))
		}
		rows = append(rows, line)
	}
	return rows
}

func (p places) arrays() map[string]npz.Array {
	out := map[string]npz.Array{"points": npz.F64(slices.Concat(p.Points...), len(p.Points), len(p.Points[0])), "names": npz.Text(p.Items, len(p.Items))}
	if p.Labels != nil {
		out["labels"] = npz.Text(p.Labels, len(p.Labels))
	}
	return out
}

// figure draws the first two dimensions, in a colour for each label.
func (p places) figure() (figure.Figure, error) {
	if len(p.Points[0]) < 2 {
		return figure.Figure{}, fmt.Errorf("a map of one dimension; want --dims 2 or more")
	}
	clouds := []figure.Cloud{{Labels: printable(p.Items)}}
	if p.labels != nil {
		clouds = make([]figure.Cloud, len(p.names))
		for k, name := range printable(p.names) {
			clouds[k].Name = name
		}
	}
	for i, at := range p.Points {
		k := 0
		if p.labels != nil {
			k = p.labels[i]
		}
		clouds[k].X, clouds[k].Y = append(clouds[k].X, at[0]), append(clouds[k].Y, at[1])
	}
	return figure.Scatter(fmt.Sprintf("Map of %d items, stress %s", len(p.Items), view.Short(p.Stress)), figure.ScatterOptions{Map: true}, clouds...)
}

// told is the JSON of classify.
type told struct {
	Rule         string      `json:"rule"`
	Classes      []string    `json:"classes"`
	Confusion    [][]float64 `json:"confusion"` // [true][given] items; parts where classes share one
	Right        float64     `json:"right"`     // share of the items
	Balanced     float64     `json:"balanced"`  // mean over classes of that share
	Chance       float64     `json:"chance"`    // of Right: the larger of one class of all and the share of the largest
	P            float64     `json:"p"`         // by permutation of the labels, of Balanced
	Permuted     float64     `json:"permuted"`  // the mean of Balanced over permutations
	Permutations int         `json:"permutations"`
	Items        []string    `json:"items"`
	Labels       []string    `json:"labels"`
	Shares       []float64   `json:"shares"` // how much of each item went to its own class
}

func (c *Matrix) classify(e Env, in items) (result, error) {
	labels, names, err := c.classes(in)
	if err != nil {
		return nil, err
	}
	var groups []int
	if c.Groups != "" {
		texts, err := labelsOf(c.Groups, in.names)
		if err != nil {
			return nil, fmt.Errorf("--groups: %w", err)
		}
		groups, _ = numbered(texts)
	}
	var rule classify.Rule = classify.Nearest{K: c.Neighbours}
	t := told{Rule: fmt.Sprintf("%d nearest, leave one out", c.Neighbours), Classes: names, Permutations: c.Permutations, Items: in.names}
	if c.Power != 0 {
		rule, t.Rule = classify.ClassMean{Power: c.Power}, fmt.Sprintf("class mean of power %v, leave one out", c.Power)
	}
	var r classify.Result
	if groups == nil {
		r, err = classify.LeaveOneOut(in.d, labels, rule)
	} else {
		t.Rule = t.Rule[:len(t.Rule)-len("one out")] + "groups out"
		r, err = classify.LeaveGroupsOut(in.d, labels, groups, rule)
	}
	if err != nil {
		return nil, fmt.Errorf("%w (classes are numbered in the order %q)", err, names)
	}
	pool := par.New(c.Threads)
	defer pool.Close()
	e.Status("matrix: %d permutations", c.Permutations)
	p, err := classify.Permutation(e.Context, [][][]float64{in.d}, labels, groups, rule, c.Permutations, rng.New(c.Seed, "matrix"), pool)
	e.Status("")
	if err != nil {
		return nil, err
	}
	t.Confusion, t.Right, t.Balanced, t.Chance, t.Shares = r.Confusion, r.Right, r.Balanced, r.Chance, r.Shares
	t.P, t.Permuted = p.P, p.Mean
	for _, k := range labels {
		t.Labels = append(t.Labels, names[k])
	}
	return t, nil
}

func (t told) print(s view.Screen) {
	w := tabwriter.NewWriter(s.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "right\t%s %%\tof %d items, by %s\n", view.Short(100*t.Right), len(t.Items), t.Rule)
	fmt.Fprintf(w, "chance\t%s %%\tthe larger of one in %d classes and the largest class\n", view.Short(100*t.Chance), len(t.Classes))
	fmt.Fprintf(w, "balanced\t%s %%\tmean over the classes; random labels give %s %%\n", view.Short(100*t.Balanced), view.Short(100*t.Permuted))
	fmt.Fprintf(w, "p\t%s\t%d permutations of the labels\n\nTRUE", view.Short(t.P), t.Permutations)
	for _, name := range t.Classes {
		fmt.Fprintf(w, "\t%s", view.Shorten(sample.Printable(name), 16))
	}
	fmt.Fprintln(w)
	for i, row := range t.Confusion {
		fmt.Fprint(w, view.Shorten(sample.Printable(t.Classes[i]), 16))
		for _, v := range row {
			fmt.Fprintf(w, "\t%s", view.Short(v))
		}
		fmt.Fprintln(w)
	}
	w.Flush()
}

// table is the confusion matrix.
func (t told) table() [][]string {
	rows := [][]string{append([]string{"true"}, t.Classes...)}
	for i, row := range t.Confusion {
		line := []string{t.Classes[i]}
		for _, v := range row {
			line = append(line, number(v))
		}
		rows = append(rows, line)
	}
	return rows
}

func (t told) arrays() map[string]npz.Array {
	k := len(t.Classes)
	return map[string]npz.Array{
		"confusion": npz.F64(slices.Concat(t.Confusion...), k, k), "classes": npz.Text(t.Classes, k), "names": npz.Text(t.Items, len(t.Items)), "labels": npz.Text(t.Labels, len(t.Labels)),
		"shares": npz.F64(t.Shares, len(t.Shares)), "right": npz.F64([]float64{t.Right}), "balanced": npz.F64([]float64{t.Balanced}), "chance": npz.F64([]float64{t.Chance}), "p": npz.F64([]float64{t.P}),
	}
}

// figure draws the share of each true class that was given to each.
func (t told) figure() (figure.Figure, error) {
	g := figure.Grid{Rows: printable(t.Classes), Columns: printable(t.Classes), RowAxis: "true", ColumnAxis: "given", Quantity: "share of the true class", High: 1}
	for _, row := range t.Confusion {
		all := 0.0
		for _, v := range row {
			all += v
		}
		line := make([]float64, len(row))
		for j, v := range row {
			line[j] = v / all
		}
		g.Values = append(g.Values, line)
	}
	return figure.Heatmap(fmt.Sprintf("%s %% right, chance %s %%, p = %s", view.Short(100*t.Right), view.Short(100*t.Chance), view.Short(t.P)), g)
}
