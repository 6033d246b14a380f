//go:build unix

package command

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"synfire/format/npz"
	"synfire/report"
)

// TestMain lets the test binary stand in for the command, so that it can be
// killed.
func TestMain(m *testing.M) {
	if os.Getenv("SYNFIRE_TEST_AS_COMMAND") != "" {
		os.Exit(testProgram().Execute(os.Args[1:], os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

func process(args ...string) *exec.Cmd {
	c := exec.Command(os.Args[0], args...)
	c.Env = append(os.Environ(), "SYNFIRE_TEST_AS_COMMAND=1")
	return c
}

const killNet = `
data: {name: mnist-sample, train: 400, test: 100, augment: {kind: shift, pixels: 1}}
steps: 3
layers: [{kind: conv2d, out: 6, kernel: 5, stride: 2}, spiking, flatten, {kind: linear, out: 10}, spiking]
encoder: poisson
epochs: 6
batch: 10
`

// A run that is killed at random moments, again and again, and resumed each
// time ends with the weights of one that is not.
func TestKilledRunsEndTheSame(t *testing.T) {
	kills := 10
	if testing.Short() {
		kills = 3
	}
	file := write(t, "net.yaml", killNet)
	args := func(out string) []string {
		return []string{"train", file, "--out", out, "--resume", "--save", "7", "--threads", "2", "--json"}
	}
	start := time.Now()
	want := finish(t, args(filepath.Join(t.TempDir(), "plain")))
	whole := time.Since(start)
	for done := 0; done < kills; {
		out := filepath.Join(t.TempDir(), "killed")
		for {
			c := process(args(out)...)
			if err := c.Start(); err != nil {
				t.Fatal(err)
			}
			ended := make(chan error, 1)
			go func() { ended <- c.Wait() }()
			wait := time.Duration(rand.Int64N(int64(whole)))
			select {
			case err := <-ended:
				if err != nil {
					t.Fatalf("a resumed run failed: %v", err)
				}
			case <-time.After(wait):
				if err := c.Process.Kill(); err == nil {
					done++
				}
				<-ended
				continue
			}
			break
		}
		if got := finish(t, args(out)); got.WeightsSHA256 != want.WeightsSHA256 || got.Metrics["test_loss"] != want.Metrics["test_loss"] {
			t.Errorf("after kills: weights %s, loss %v; want %s, %v", got.WeightsSHA256, got.Metrics["test_loss"], want.WeightsSHA256, want.Metrics["test_loss"])
		}
		leftovers, _ := filepath.Glob(filepath.Join(out, "checkpoints", "step-*.safetensors"))
		if len(leftovers) > 2 {
			t.Errorf("more than two checkpoints were kept: %v", leftovers)
		}
	}
}

func finish(t *testing.T, args []string) (r report.Run) {
	t.Helper()
	out, err := process(args...).Output()
	if err != nil {
		t.Fatalf("%v: %v", args, err)
	}
	if err := json.Unmarshal(out, &r); err != nil {
		t.Fatal(err)
	}
	return r
}

// SIGTERM saves and says how to go on.
func TestTerminated(t *testing.T) {
	out := filepath.Join(t.TempDir(), "run")
	c := process("train", write(t, "net.yaml", strings.Replace(killNet, "epochs: 6", "epochs: 1000", 1)), "--out", out)
	var stderr strings.Builder
	c.Stderr = &stderr
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	for range 600 { // until it trains
		if _, err := os.Stat(filepath.Join(out, "metrics.jsonl")); err == nil {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	if err := c.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	err := c.Wait()
	if c.ProcessState.ExitCode() != 1 || !strings.Contains(stderr.String(), "--resume --out "+out) {
		t.Errorf("%v, exit code %d: %s", err, c.ProcessState.ExitCode(), stderr.String())
	}
	names, _ := filepath.Glob(filepath.Join(out, "checkpoints", "step-*.safetensors"))
	if len(names) == 0 {
		t.Error("nothing was saved")
	}
}

// A verb that has nothing to save ends soon after a signal, whatever it is doing, with a
// line that says so.
func TestInterruptedVerb(t *testing.T) {
	a := file(t, "a.npz", func(b *bytes.Buffer) error {
		x := make([]float64, 60*4)
		for i := range x {
			x[i] = float64(i*i%17) + float64(i)/100
		}
		return npz.Write(b, map[string]npz.Array{"x": npz.F64(x, 60, 4)})
	})
	trains := write(t, "x.txt", strings.Repeat("1 2.5 3 7\n2 4 6 8 9\n", 10_000))
	for _, args := range [][]string{
		{"compare", "--metric", "rsa-kendall", "--permutations", "1000000", "--threads", "1", a, a},
		{"distance", trains, "--metric", "spike", "--window", "0,10", "--surrogates", "1000", "--threads", "1"},
	} {
		c := process(args...)
		var stderr strings.Builder
		c.Stderr = &stderr
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(500 * time.Millisecond)
		start := time.Now()
		if err := c.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		err := c.Wait()
		if c.ProcessState.ExitCode() != exitFailed || !strings.Contains(stderr.String(), "interrupted") {
			t.Errorf("%s: %v, exit code %d: %s", args[0], err, c.ProcessState.ExitCode(), stderr.String())
		}
		if took := time.Since(start); took > 20*time.Second {
			t.Errorf("%s: it took %v to end", args[0], took)
		}
	}
}

// A second signal ends the process at once, without waiting for what it is doing: here for
// input that never comes.
func TestSecondSignal(t *testing.T) {
	c := process("distance", "-", "--metric", "spike", "--window", "0,10")
	stdin, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		time.Sleep(500 * time.Millisecond)
		if err := c.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
	}
	err = c.Wait()
	if s, ok := c.ProcessState.Sys().(syscall.WaitStatus); !ok || !s.Signaled() || s.Signal() != syscall.SIGTERM {
		t.Errorf("it ended by %v, want the signal", err)
	}
}
