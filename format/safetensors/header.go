package safetensors

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"unicode/utf8"
)

// header is the content of the JSON header.
type header struct {
	meta    map[string]string // nil where there is none
	sumAt   int               // offset of the value of SumKey past its quote, 0 where there is none
	tensors []tensorInfo
}

type tensorInfo struct {
	name       string
	dtype      string
	shape      []int
	begin, end uint64
}

// parseHeader reads the header token by token, because decoding into maps
// would silently keep the last of two equal keys.
func parseHeader(raw []byte) (header, error) {
	switch {
	case len(raw) == 0 || raw[0] != '{':
		return header{}, fmt.Errorf("it does not start with {; the file is of another format")
	case !utf8.Valid(raw):
		return header{}, fmt.Errorf("it is not valid UTF-8; the file is damaged or of another format")
	case !json.Valid(raw):
		return header{}, fmt.Errorf("it is not valid JSON; the file is damaged or of another format")
	}
	p := parser{json.NewDecoder(bytes.NewReader(raw))}
	p.UseNumber()
	var h header
	err := p.object("the header", func(name string) error {
		if name == metaKey {
			return p.metadata(&h)
		}
		t, err := p.tensor(name)
		h.tensors = append(h.tensors, t)
		return err
	})
	return h, err
}

// parser reads JSON that is known to be well-formed.
type parser struct{ *json.Decoder }

// object reads an object, calling member after each of its keys.
func (p parser) object(what string, member func(key string) error) error {
	if err := p.open('{', what+" must be an object"); err != nil {
		return err
	}
	seen := make(map[string]bool)
	for p.More() {
		key, err := p.str(what)
		if err != nil {
			return err
		}
		if seen[key] {
			return fmt.Errorf("key %q comes twice in %s; write each key once", key, what)
		}
		seen[key] = true
		if err := member(key); err != nil {
			return err
		}
	}
	_, err := p.Token()
	return err
}

// numbers reads an array of integers of 0 or more.
func (p parser) numbers(what string) ([]uint64, error) {
	if err := p.open('[', what+" must be an array of integers"); err != nil {
		return nil, err
	}
	var all []uint64
	for p.More() {
		t, err := p.Token()
		if err != nil {
			return nil, err
		}
		num, _ := t.(json.Number)
		n, err := strconv.ParseUint(string(num), 10, 63)
		if err != nil {
			return nil, fmt.Errorf("%s holds %v, not an integer from 0 to 2^63-1", what, t)
		}
		all = append(all, n)
	}
	_, err := p.Token()
	return all, err
}

func (p parser) open(delim json.Delim, complaint string) error {
	t, err := p.Token()
	if err != nil {
		return err
	}
	if t != delim {
		return fmt.Errorf("%s, found %v", complaint, t)
	}
	return nil
}

func (p parser) str(what string) (string, error) {
	t, err := p.Token()
	if err != nil {
		return "", err
	}
	s, ok := t.(string)
	if !ok {
		return "", fmt.Errorf("%s must be a string, found %v", what, t)
	}
	return s, nil
}

func (p parser) metadata(h *header) error {
	return p.object(metaKey, func(key string) error {
		value, err := p.str(fmt.Sprintf("%s key %q", metaKey, key))
		if err != nil {
			return err
		}
		if h.meta == nil {
			h.meta = make(map[string]string)
		}
		h.meta[key] = value
		if key == SumKey {
			h.sumAt = int(p.InputOffset()) - len(value) - len(`"`)
		}
		return nil
	})
}

func (p parser) tensor(name string) (tensorInfo, error) {
	t := tensorInfo{name: name, shape: []int{}}
	what := fmt.Sprintf("tensor %q", name)
	found := 0
	err := p.object(what, func(key string) (err error) {
		found++
		switch key {
		case "dtype":
			t.dtype, err = p.str(what + " dtype")
		case "shape":
			var dims []uint64
			dims, err = p.numbers(what + " shape")
			for _, d := range dims {
				t.shape = append(t.shape, int(d))
			}
		case "data_offsets":
			var ends []uint64
			ends, err = p.numbers(what + " data_offsets")
			if err == nil && len(ends) != 2 {
				return fmt.Errorf("%s data_offsets has %d numbers, want [begin, end]", what, len(ends))
			}
			if err == nil {
				t.begin, t.end = ends[0], ends[1]
			}
		default:
			return fmt.Errorf("%s has the unknown key %q; keys are dtype, shape, data_offsets", what, key)
		}
		return err
	})
	if err == nil && found != 3 {
		err = fmt.Errorf("%s has %d of the keys dtype, shape, data_offsets; all are needed", what, found)
	}
	return t, err
}
