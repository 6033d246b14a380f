package data

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"synfire/internal/limit"
)

// maxModuleZip is the size that Go itself permits a module's zip.
const maxModuleZip = 500 << 20

// proxy is one element of a proxy list.
type proxy struct {
	url      string
	anyError bool // the next one is tried after any error, not only after "not found"
}

// parseProxies splits a list in the syntax of GOPROXY: after a comma the next
// proxy is asked when this one does not have the module, after a bar when it
// fails in any way.
func parseProxies(list string) []proxy {
	var all []proxy
	for list != "" {
		end := strings.IndexAny(list, ",|")
		item, bar := list, false
		if end >= 0 {
			item, bar, list = list[:end], list[end] == '|', list[end+1:]
		} else {
			list = ""
		}
		if item = strings.TrimSpace(item); item == "" {
			continue
		}
		// As the go command does, take a bare host for https.
		if strings.ContainsAny(item, ".:/") && !strings.Contains(item, ":/") && !filepath.IsAbs(item) {
			item = "https://" + item
		}
		all = append(all, proxy{item, bar})
	}
	return all
}

// downloadZip brings the module's zip from the first proxy that has it into a
// temporary file.
func (s *session) downloadZip(ctx context.Context, m Module) (string, error) {
	list := s.o.Proxies
	if list == "" && s.o.GoTool != "" {
		out, err := s.o.runGo(ctx, os.TempDir(), "env", "GOPROXY")
		if err != nil {
			return "", fmt.Errorf("go env GOPROXY: %w", err)
		}
		list = strings.TrimSpace(string(out))
	}
	proxies := parseProxies(list)
	if len(proxies) == 0 {
		return "", errors.New("no module proxy is known; set GOPROXY")
	}
	var tried []string
	for _, p := range proxies {
		at, err := s.zipFrom(ctx, p.url, m)
		if err == nil {
			return at, nil
		}
		tried = append(tried, err.Error())
		if !p.anyError && !errors.Is(err, fs.ErrNotExist) {
			break
		}
	}
	return "", errors.New(strings.Join(tried, "; "))
}

func (s *session) zipFrom(ctx context.Context, base string, m Module) (string, error) {
	switch base {
	case "off":
		return "", errors.New("module downloads are switched off (GOPROXY=off)")
	case "direct":
		return "", errors.New("GOPROXY says direct, which takes a Go toolchain")
	}
	u, err := url.Parse(strings.TrimSuffix(base, "/") + "/" + escape(m.Path) + "/@v/" + escape(m.Version) + ".zip")
	if err != nil {
		return "", errors.New("a proxy's address is not a URL; check GOPROXY")
	}
	switch u.Scheme {
	case "file":
		at := filepath.FromSlash(u.Path)
		_, err := os.Stat(at)
		return at, err
	case "http", "https":
		at, err := s.downloadTemp(ctx, u.String(), m.id())
		if err != nil {
			return "", fmt.Errorf("%s: %w", u.Redacted(), err)
		}
		return at, nil
	}
	return "", fmt.Errorf("%s: a proxy's address begins with https://, http:// or file://", u.Redacted())
}

// downloadTemp brings a URL into a temporary file of the cache.
func (s *session) downloadTemp(ctx context.Context, u, name string) (string, error) {
	resp, err := s.o.get(ctx, u, 0)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	tmp, err := os.CreateTemp(s.o.CacheDir, ".module-*.zip")
	if err != nil {
		return "", err
	}
	s.temp = append(s.temp, tmp.Name())
	defer tmp.Close()
	body := s.watch(ctx, resp.Body, name, 0, max(0, resp.ContentLength))
	if _, err := io.Copy(tmp, limit.Reader(body, maxModuleZip)); err != nil {
		return "", err
	}
	return tmp.Name(), tmp.Close()
}

// escape is the module proxy protocol's spelling, which tells upper case from
// lower on systems that do not: !a for A.
func escape(s string) string {
	var b strings.Builder
	for _, r := range s {
		if 'A' <= r && r <= 'Z' {
			b.WriteByte('!')
			r += 'a' - 'A'
		}
		b.WriteRune(r)
	}
	return b.String()
}

// get asks for a URL from the given byte on. A status that is not success is
// an error, fs.ErrNotExist for 404 and 410.
func (o Options) get(ctx context.Context, u string, from int64) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u, nil)
	if err != nil {
		return nil, err
	}
	// Sums are of the bytes as stored, so the transport must not decompress.
	req.Header.Set("Accept-Encoding", "identity")
	if from > 0 {
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-", from))
	}
	resp, err := o.HTTP.Do(req)
	if err != nil {
		return nil, plain(err)
	}
	if resp.StatusCode == http.StatusOK || (from > 0 && resp.StatusCode == http.StatusPartialContent) {
		return resp, nil
	}
	resp.Body.Close()
	if resp.StatusCode == http.StatusNotFound || resp.StatusCode == http.StatusGone {
		return nil, fmt.Errorf("%s: %w", resp.Status, fs.ErrNotExist)
	}
	return nil, errors.New(resp.Status)
}

// plain takes the method and URL off a request's error, which the attempt's
// name already says.
func plain(err error) error {
	var e *url.Error
	if errors.As(err, &e) {
		return e.Err
	}
	return err
}
