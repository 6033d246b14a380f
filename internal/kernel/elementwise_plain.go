//go:build !amd64 || purego || float64

package kernel

func add(dst, src []Float)                               { addGo(dst, src) }
func addScaled(dst, src []Float, factor Float)           { addScaledGo(dst, src, factor) }
func subProducts(dst, a, b, c []Float)                   { subProductsGo(dst, a, b, c) }
func subScaled(dst, a, b []Float, factor Float)          { subScaledGo(dst, a, b, factor) }
func scale(x []Float, factor Float)                      { scaleGo(x, factor) }
func rectify(dst, src []Float)                           { rectifyGo(dst, src) }
func rectifyBackward(dst, dy, x []Float)                 { rectifyBackwardGo(dst, dy, x) }
func columnSums(dst, x []Float, ld, rows int)            { columnSumsGo(dst, x, ld, rows) }
func sumSteps(dst, x []Float, stride, steps int)         { sumStepsGo(dst, x, stride, steps) }
func finiteBlocks([]Float) int                           { return 0 }
func squareBlocks(*[squareLanes]float64, []Float) int    { return 0 }
func magnitudeBlocks(*[squareLanes]float64, []Float) int { return 0 }
func (p SGD) update(w, g, m []Float)                     { p.updateGo(w, g, m) }
func (p Adam) update(w, g, m, v []Float)                 { p.updateGo(w, g, m, v) }
