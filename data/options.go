package data

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"synfire/internal/atomicfile"
)

// Options say where files are looked for and how they are obtained.
type Options struct {
	// CacheDir is where obtained files are kept, one folder a data set.
	CacheDir string
	// DataDir is a folder with the user's own copies, looked into first and
	// never written to: DATASET/FILE or FILE below it. Empty for none.
	DataDir string
	// Proxies is a list of Go module proxies in the syntax of GOPROXY. Empty
	// means the Go toolchain's setting, or none without a toolchain.
	Proxies string
	// GoTool is the path of the go command; empty where there is none.
	GoTool string
	// HTTP makes all requests. Nil means a client that gives up on servers
	// that do not begin to answer within 30 seconds.
	HTTP *http.Client
	// Progress, when set, is called as the bytes of a file arrive. The total
	// is 0 where the server does not tell it.
	Progress func(name string, done, total int64)
}

// DefaultOptions are the options that the environment asks for: the user's
// cache directory, SYNFIRE_DATA as DataDir, GOPROXY, and go from the PATH.
func DefaultOptions() Options {
	o := Options{DataDir: os.Getenv("SYNFIRE_DATA"), Proxies: os.Getenv("GOPROXY")}
	if dir, err := os.UserCacheDir(); err == nil {
		o.CacheDir = filepath.Join(dir, "synfire", "data")
	}
	if tool, err := exec.LookPath("go"); err == nil {
		o.GoTool = tool
	}
	return o
}

// newClient is the client for a nil Options.HTTP.
func newClient() *http.Client {
	t, ok := http.DefaultTransport.(*http.Transport)
	if !ok {
		return http.DefaultClient
	}
	t = t.Clone()
	t.ResponseHeaderTimeout = 30 * time.Second
	return &http.Client{Transport: t}
}

func (o Options) progress(name string, done, total int64) {
	if o.Progress != nil {
		o.Progress(name, done, total)
	}
}

// cached is the path of a verified copy in the cache; the error is
// fs.ErrNotExist where there is none, a *SumError where it is damaged.
func (o Options) cached(f File) (string, error) {
	if o.CacheDir == "" {
		return "", missing(f)
	}
	return f.find(filepath.Dir(o.cachePath(f)))
}

// local is the path of a verified copy in the user's folder. A damaged one is
// an error for the user to settle, since the folder is not ours to change.
func (o Options) local(f File) (string, error) {
	if o.DataDir == "" {
		return "", missing(f)
	}
	if info, err := os.Stat(o.DataDir); err != nil || !info.IsDir() {
		return "", fmt.Errorf("data: the data directory %s is not a folder that can be read; correct SYNFIRE_DATA or --data-dir", o.DataDir)
	}
	path, err := f.find(filepath.Join(o.DataDir, f.folder()), o.DataDir)
	var bad *SumError
	if errors.As(err, &bad) {
		return "", fmt.Errorf("data: %w; the data directory is never changed: replace the file, or move it away to have it fetched", err)
	}
	return path, err
}

// cachePath is where the file is kept as it is distributed.
func (o Options) cachePath(f File) string {
	return filepath.Join(o.CacheDir, filepath.FromSlash(f.Name))
}

// prepare makes the folder of a cached file and proves that it takes files.
func (o Options) prepare(f File) error {
	if o.CacheDir == "" {
		return errors.New("data: no cache directory is known; set XDG_CACHE_HOME or HOME, or point SYNFIRE_DATA or --data-dir at a folder that holds the files")
	}
	if err := atomicfile.Folder(filepath.Dir(o.cachePath(f))); err != nil {
		return fmt.Errorf("data: cannot write to the cache: %w; make it writable, set XDG_CACHE_HOME to another place, or point SYNFIRE_DATA or --data-dir at a folder that holds the files", err)
	}
	return nil
}
