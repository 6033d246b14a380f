// Package run is a stub.
package run

import "synfire/modelfile"

type Dir struct{ Path string }
type Figures map[string]float64
type Point struct {
	Kind        string
	Epoch, Step int
	Train       Figures
}
type Epoch struct {
	Kind              string
	Epoch, Step       int
	Train, Valid, Test Figures
	Rates             map[string]float64
	Seconds           float64
}

func Open(path string, config []byte, resume bool) (*Dir, error) { return nil, nil }
func (d *Dir) Close() error                                      { return nil }
func (d *Dir) Save(step int, f modelfile.File) error             { return nil }
func (d *Dir) SaveBest(f modelfile.File) error                   { return nil }
func (d *Dir) SaveModel(f modelfile.File) error                  { return nil }
func (d *Dir) Best() string                                      { return "" }
func (d *Dir) Newest(warn func(error)) (*modelfile.File, error)  { return nil, nil }
func (d *Dir) Append(line any) (int64, error)                    { return 0, nil }
func (d *Dir) Truncate(n int64) error                            { return nil }
func (d *Dir) History() ([]Point, []Epoch, error)                { return nil, nil, nil }
