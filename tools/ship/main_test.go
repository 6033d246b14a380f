package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"synfire/data"
	"synfire/modelfile"
	"synfire/zoo"
)

// A model is written rounded, measured as it is stored, and pinned beside those that are there.
func TestShip(t *testing.T) {
	f, err := zoo.Read("mnist-cnn")
	if err != nil {
		t.Fatal(err)
	}
	f.Config, f.Stored = bytes.Replace(f.Config, []byte("name: mnist,"), []byte("name: mnist-sample,"), 1), ""
	dir := t.TempDir()
	path := filepath.Join(dir, "mine")
	if err := modelfile.Write(path, *f); err != nil {
		t.Fatal(err)
	}
	m, err := ship(context.Background(), dir, path, "a-cnn", modelfile.Int8, "two convolutions", data.Options{})
	if err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(filepath.Join(dir, "a-cnn.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	if sum := sha256.Sum256(content); m.SHA256 != hex.EncodeToString(sum[:]) || m.Bytes != len(content) || m.N != 500 || m.Data != "mnist-sample" || m.Stored != "int8" || m.Parameters != 27280 || m.Accuracy < 97 || m.Before < 97 {
		t.Errorf("%+v of %d bytes", m, len(content))
	}
	src, err := os.ReadFile(filepath.Join(dir, "list.json"))
	if err != nil {
		t.Fatal(err)
	}
	var list []zoo.Model
	if err := json.Unmarshal(src, &list); err != nil || len(list) != len(zoo.List())+1 || list[0] != m || !slices.Contains(list, zoo.List()[0]) {
		t.Errorf("%v: %+v", err, list)
	}
	for name, want := range map[string]string{"A CNN": "small letters", "../a": "small letters"} {
		if _, err := ship(context.Background(), dir, path, name, modelfile.Int8, "", data.Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", name, err)
		}
	}
	if _, err := ship(context.Background(), dir, path, "a-cnn", "int4", "", data.Options{}); err == nil || !strings.Contains(err.Error(), "int4") {
		t.Errorf("int4: %v", err)
	}
}
