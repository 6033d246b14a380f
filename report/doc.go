// Package report states what a run claims and shows what it measured.
//
// A Claim is a published figure with the bounds that a reproduction must reach
// at each scale. Claim.Judge turns measured values into a Result; it is the one
// place where a verdict is computed. With x the statistic of the values, p the
// published figure and b the bound,
//
//	at_least   x ≥ b
//	at_most    x ≤ b
//	within     |x − p| ≤ b
//	order      x = minᵢ (vᵢ − vᵢ₊₁) > b   for arms listed from largest to smallest
//
// A Run is the JSON that `synfire run` prints. The same facts become a table on
// a terminal (WriteTerminal; WriteTrends draws how figures went), Markdown
// (ClaimsMarkdown, FactsMarkdown) and a Page: one self-contained HTML file, and the
// same in Markdown. Its figures come from report/figure.
//
// Nothing here knows about networks or training: inputs are plain structs.
package report
