// Package browser looks at reports as a reader does: in a browser. The tests need
// Chromium and are skipped where there is none. It is a module of its own so that
// the library does not depend on what drives the browser.
package browser

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

var shots = flag.String("shots", "", "write screenshots into this directory")

// demo is the address of the report of made-up figures, written anew.
var demo = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "synfire-report")
	if err != nil {
		return "", err
	}
	cmd := exec.Command("go", "test", "./report", "-count=1", "-run", "^TestDemo$", "-demo", dir)
	cmd.Dir = filepath.Join("..", "..")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w\n%s", err, out)
	}
	return "file://" + filepath.Join(dir, "report.html"), nil
})

func TestMain(m *testing.M) {
	flag.Parse()
	code := m.Run()
	if url, err := demo(); err == nil {
		os.RemoveAll(filepath.Dir(strings.TrimPrefix(url, "file://")))
	}
	os.Exit(code)
}

// step is something done in a tab.
type step = chromedp.Action[chromedp.Void]

// send is a command of the browser's protocol as a step.
func send[P, R any](c cdp.Command[P, R], params P) step {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, c, params)
		return err
	})
}

// tab is a browser's tab, and what went wrong in it.
type tab struct {
	t        *testing.T
	ctx      context.Context
	mu       sync.Mutex
	problems []string
}

// open opens the demonstration report, after the actions given, in a window of a
// width. At the end of the test it fails for errors on the console and for requests.
func open(t *testing.T, width int64, before ...step) *tab {
	t.Helper()
	browser := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil && browser == "" {
			browser = path
		}
	}
	if browser == "" {
		t.Skip("no chromium on this machine; install it to test the reports")
	}
	url, err := demo()
	if err != nil {
		t.Fatal(err)
	}
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]), chromedp.ExecPath(browser), chromedp.NoSandbox, chromedp.DisableGPU)
	ctx, cancel := context.WithTimeout(context.Background(), 90*time.Second)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	b := &tab{t: t, ctx: ctx}
	if err := chromedp.Listen(ctx, func(event any) { b.note(event, url) }); err != nil {
		t.Fatal(err)
	}
	var kind []chromedp.EmulateViewportOption
	if width < 500 {
		kind = append(kind, chromedp.EmulateMobile, chromedp.EmulateTouch)
	}
	b.run(send(log.Enable, cdp.Empty{}), send(network.Enable, network.EnableParams{}), send(runtime.Enable, cdp.Empty{}), chromedp.EmulateViewport(width, 800, kind...))
	b.run(before...)
	b.run(chromedp.Navigate(url), chromedp.WaitReady(chromedp.CSS("main")))
	t.Cleanup(func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		for _, p := range b.problems {
			t.Error(p)
		}
	})
	return b
}

// note records what a report must not do: complain, fail, or load anything.
func (b *tab) note(event any, url string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventConsoleAPICalled:
		b.problems = append(b.problems, fmt.Sprintf("console: %s %s", e.Type, e.Args[0].Value))
	case *runtime.EventExceptionThrown:
		b.problems = append(b.problems, "exception: "+e.ExceptionDetails.Text)
	case *log.EventEntryAdded:
		b.problems = append(b.problems, "log: "+e.Entry.Text)
	case *network.EventRequestWillBeSent:
		if u := e.Request.URL; u != url && !strings.HasPrefix(u, "data:") {
			b.problems = append(b.problems, "request: "+u)
		}
	}
}

func (b *tab) run(steps ...step) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, steps...); err != nil {
		b.t.Fatal(err)
	}
}

// value is what an expression gives in the page.
func value[T any](b *tab, expression string) T {
	b.t.Helper()
	v, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		b.t.Fatalf("%s: %v", expression, err)
	}
	return v
}

// want fails where an expression gives something else.
func want[T comparable](b *tab, expression string, want T) {
	b.t.Helper()
	if got := value[T](b, expression); got != want {
		b.t.Errorf("%s is %v, want %v", expression, got, want)
	}
}

// shoot writes a picture of the page, where -shots asks for it.
func (b *tab) shoot(name, selector string) {
	b.t.Helper()
	if *shots == "" {
		return
	}
	picture := chromedp.FullScreenshot(100)
	if selector != "" {
		picture = chromedp.Screenshot(chromedp.CSS(selector))
	}
	png, err := chromedp.Run(b.ctx, picture)
	if err == nil {
		err = os.WriteFile(filepath.Join(*shots, name+".png"), png, 0o644)
	}
	if err != nil {
		b.t.Fatal(err)
	}
}

// Pages fit the narrowest phone and a desk, without moving sideways.
func TestFits(t *testing.T) {
	for _, width := range []int64{320, 360, 768, 1280} {
		b := open(t, width)
		want(b, "document.documentElement.scrollWidth", width)
		outside := value[[]string](b, `[...document.querySelectorAll('main *')].filter(e => !e.closest('.scroll, svg, pre, .claims thead, .theme') &&
			e.getBoundingClientRect().right > innerWidth + 0.5).map(e => e.outerHTML.slice(0, 80))`)
		if len(outside) > 0 {
			t.Errorf("%d pixels wide: outside the page: %q", width, outside)
		}
		b.shoot(fmt.Sprintf("page-%d", width), "")
	}
}

// contrast lists the texts whose contrast with their ground is below 4.5, the
// bound for normal text of the accessibility guidelines WCAG 2.
const contrast = `(() => {
	const parse = c => { const [r, g, b, a = 1] = c.match(/[\d.]+/g).map(Number); return {r, g, b, a}; };
	const light = ({r, g, b}) => [r, g, b].map(v => v / 255).map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4).reduce((s, v, i) => s + v * [0.2126, 0.7152, 0.0722][i], 0);
	const ground = e => { for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor); if (c.a === 1) return c; } return {r: 255, g: 255, b: 255}; };
	const out = [];
	for (const e of document.querySelectorAll('main *')) {
		if (e.closest('svg') || !e.offsetParent || ![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim())) continue;
		const [hi, lo] = [light(parse(getComputedStyle(e).color)), light(ground(e))].sort((a, b) => b - a);
		if ((hi + 0.05) / (lo + 0.05) < 4.5) out.push(e.className + ' ' + e.textContent.slice(0, 40));
	}
	return out;
})()`

// The system's colours are followed, the switch overrides them, and text stands
// out in both.
func TestColours(t *testing.T) {
	const light, dark = "rgb(246, 246, 243)", "rgb(20, 23, 27)"
	const ground = "getComputedStyle(document.body).backgroundColor"
	b := open(t, 1280)
	check := func(want_ string) {
		t.Helper()
		want(b, ground, want_)
		if texts := value[[]string](b, contrast); len(texts) > 0 {
			t.Errorf("on %s, texts that do not stand out: %q", want_, texts)
		}
	}
	system := func(scheme string) step {
		return send(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
	}
	check(light)
	pixels := "document.querySelector('canvas').toDataURL()"
	lightPixels := value[string](b, pixels)
	b.run(system("dark"), chromedp.Sleep(100*time.Millisecond))
	check(dark)
	if value[string](b, pixels) == lightPixels {
		t.Error("the raster keeps its light colours")
	}
	b.shoot("dark-1280", "")
	b.run(chromedp.Click(chromedp.CSS("label[for=theme-light]")))
	check(light)
	b.run(system("light"), chromedp.Click(chromedp.CSS("label[for=theme-dark]")))
	check(dark)
	b.run(chromedp.Focus("#theme-dark"), chromedp.KeyEvent(kb.ArrowLeft))
	check(light)
}

// The raster takes the place of its drawing; layers, zoom and steps work by mouse
// and by keyboard.
func TestRaster(t *testing.T) {
	b := open(t, 1280)
	state := func(layer, step, steps, units string) {
		t.Helper()
		want(b, "(v => [v.layer, v.step, v.steps, v.units].join())(document.querySelector('.viewer').dataset)", strings.Join([]string{layer, step, steps, units}, ","))
	}
	want(b, "document.querySelector('.still').offsetParent === null", true)
	state("input", "0", "0-32", "0-784")
	spikes := value[string](b, "document.querySelector('.viewer').dataset.spikes")
	pixels := value[string](b, "document.querySelector('canvas').toDataURL()")
	b.shoot("raster", "figure:has(.viewer)")

	b.run(chromedp.SetValue(chromedp.CSS(".viewer select"), "1"))
	want(b, "document.querySelector('.viewer select').dispatchEvent(new Event('change'))", true)
	state("spiking1", "0", "0-32", "0-2160")
	if value[string](b, "document.querySelector('canvas').toDataURL()") == pixels || value[string](b, "document.querySelector('.viewer').dataset.spikes") == spikes {
		t.Error("another layer looks the same")
	}
	b.run(chromedp.Focus(chromedp.CSS("canvas")), chromedp.KeyEvent("["))
	state("input", "0", "0-32", "0-784")

	b.run(chromedp.Click(chromedp.CSS("button[title='zoom in']")))
	state("input", "0", "0-16", "196-588")
	b.run(chromedp.Focus(chromedp.CSS("canvas")), chromedp.KeyEvent("++"))
	state("input", "0", "0-4", "343-441")
	b.run(chromedp.KeyEvent(kb.ArrowUp))
	state("input", "0", "0-4", "355-453")
	b.run(chromedp.KeyEvent(kb.ArrowRight + kb.ArrowRight + kb.ArrowRight + kb.ArrowRight))
	state("input", "4", "2-6", "355-453")
	b.shoot("raster-zoomed", "figure:has(.viewer)")
	b.run(chromedp.KeyEvent("0"))
	state("input", "4", "0-32", "0-784")

	b.run(chromedp.Focus(chromedp.CSS(".scrub input")), chromedp.KeyEvent(kb.End))
	state("input", "31", "0-32", "0-784")
	b.run(chromedp.Click(chromedp.CSS("canvas")))
	state("input", value[string](b, "document.querySelector('.viewer').dataset.step"), "0-32", "0-784")
	if step := value[string](b, "document.querySelector('.viewer').dataset.step"); step != "15" && step != "14" {
		t.Errorf("a click in the middle chose step %s of 32", step)
	}
	if text := value[string](b, "document.querySelector('.viewer output').textContent"); !strings.Contains(text, "of 784 units fire") {
		t.Errorf("the readout says %q", text)
	}

	b.run(chromedp.Click(chromedp.CSS("button[title=play]")), chromedp.Sleep(400*time.Millisecond), chromedp.Click(chromedp.CSS("button[title=pause]")))
	if step := value[string](b, "document.querySelector('.viewer').dataset.step"); step == "15" || step == "14" {
		t.Error("playing does not move the step")
	}
}

// A finger works, too, and the page does not scroll sideways for the raster.
func TestRasterOnPhone(t *testing.T) {
	b := open(t, 360)
	b.run(chromedp.ScrollIntoView(chromedp.CSS("canvas")), chromedp.Click(chromedp.CSS("button[title='zoom in']")))
	want(b, "document.querySelector('.viewer').dataset.steps", "0-16")
	want(b, "document.documentElement.scrollWidth", 360)
	b.shoot("raster-360", "figure:has(.viewer)")
}

// Without scripts the drawing stands in the raster's place.
func TestWithoutScripts(t *testing.T) {
	b := open(t, 1280, send(emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}))
	want(b, "document.querySelector('.viewer') === null && document.querySelector('.still svg').clientHeight > 100", true)
	b.shoot("without-scripts", "figure:has(.raster)")
}

// On paper there is no switch and no viewer, nothing is dark, and folded tables
// are open.
func TestPrint(t *testing.T) {
	b := open(t, 1280, send(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Media: "print", Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "dark"}},
	}))
	want(b, "getComputedStyle(document.querySelector('.viewer')).display", "none")
	want(b, "getComputedStyle(document.querySelector('.theme')).display", "none")
	want(b, "document.querySelector('.still').clientHeight > 100", true)
	want(b, "getComputedStyle(document.body).color", "rgb(31, 35, 40)")
	pdf, err := chromedp.Run(b.ctx, chromedp.PrintToPDF(chromedp.PDFPaper(chromedp.PaperA4)))
	if err != nil {
		t.Fatal(err)
	}
	if len(pdf) < 10_000 {
		t.Errorf("a PDF of %d bytes", len(pdf))
	}
	if *shots != "" {
		if err := os.WriteFile(filepath.Join(*shots, "print.pdf"), pdf, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
