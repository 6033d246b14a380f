package report

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"synfire/internal/atomicfile"
)

// Write makes the directory and writes the page into it, as HTML and Markdown, with its
// figures as files of their own.
func (p Page) Write(dir string) error {
	html, err := p.HTML()
	if err != nil {
		return err
	}
	files := append(p.FigureFiles(), File{Name: "report.md", Content: p.Markdown()}, File{Name: "report.html", Content: html})
	if err := os.MkdirAll(filepath.Join(dir, "figures"), 0o755); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	for _, f := range files {
		if err := atomicfile.Write(filepath.Join(dir, filepath.FromSlash(f.Name)), func(w io.Writer) error {
			_, err := w.Write(f.Content)
			return err
		}); err != nil {
			return err
		}
	}
	return nil
}
