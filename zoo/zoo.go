// Package zoo is the trained models that are part of the program: ordinary networks whose
// training takes long, small enough to ship, so that a first conversion takes a minute, and
// spiking detectors.
//
//	synfire models                                what there is
//	synfire convert mnist-cnn --method rmp        a name in the place of a model file
//	synfire detect digit-scenes photo.png         likewise
//
// A model is a file of package modelfile, rounded to float16 or int8, whose accuracy was
// measured behind the rounding; list.json has that with its sum. `go run ./tools/ship` adds
// one. A file of the name of a model comes before it.
package zoo

import (
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"synfire/internal/suggest"
	"synfire/modelfile"
)

// What is embedded at most, in bytes: a file, and all together.
const (
	MaxFile = 5 << 20
	MaxAll  = 20 << 20
)

//go:embed models
var files embed.FS

// Model says what a model is, as list.json has it.
type Model struct {
	Name       string  `json:"name"`
	Text       string  `json:"text"` // of its network, for people
	Data       string  `json:"data"` // that it was trained on, and measured with
	Split      string  `json:"split"`
	N          int     `json:"n"`                // samples that the accuracy is of
	Figure     string  `json:"figure,omitempty"` // what the accuracy is: empty: the share that is right; map50 of a detector
	Accuracy   float64 `json:"accuracy"`         // percent, of the arrays as they are stored
	Before     float64 `json:"before"`           // percent, before they were rounded
	Stored     string  `json:"stored"`           // float16 or int8
	Parameters int     `json:"parameters"`
	Bytes      int     `json:"bytes"`
	SHA256     string  `json:"sha256"` // of the file
}

// List is the models that ship, by name.
func List() []Model {
	var list []Model
	src, err := files.ReadFile("models/list.json")
	if err == nil {
		err = json.Unmarshal(src, &list)
	}
	if err != nil {
		panic(fmt.Sprintf("zoo: models/list.json: %v", err)) // embedded: every test fails
	}
	return list
}

// Find is the model of a name.
func Find(name string) (Model, bool) {
	for _, m := range List() {
		if m.Name == name {
			return m, true
		}
	}
	return Model{}, false
}

// Content is the bytes of its file.
func (m Model) Content() []byte {
	b, err := files.ReadFile(path.Join("models", m.Name+".safetensors"))
	if err != nil {
		panic(fmt.Sprintf("zoo: %v", err)) // embedded: every test fails
	}
	return b
}

// Read is modelfile.Read of a path, or of the model that ships under this name where there
// is no such file.
func Read(path string) (*modelfile.File, error) {
	f, err := modelfile.Read(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return f, err
	}
	if m, ok := Find(path); ok {
		return modelfile.Decode(m.Content())
	}
	if strings.ContainsAny(path, `/\.`) {
		return nil, err
	}
	var names []string
	for _, m := range List() {
		names = append(names, m.Name)
	}
	return nil, fmt.Errorf("%w; %s", err, suggest.Names("models that ship", path, names))
}
