// Command mutate proves that the rules are tested: it changes one thing at a time in the files named (drops a guard, negates a
// condition, drops half of one, moves a boundary), runs the tests of their package on the changed code, and lists the changes that
// no test noticed. The files themselves stay as they are: one test binary is built with all changes in it (the compiler is given the
// changed files as an overlay), and is run once for each with that one switched on.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"time"
)

// testPatience bounds a run of the tests; a change that makes them hang is noticed.
const testPatience = 2 * time.Minute

func main() {
	least := flag.Float64("least", 0, "fail if fewer than this percentage of the changes are noticed")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, flag.Args(), *least); err != nil {
		fmt.Fprintln(os.Stderr, "mutate:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, files []string, least float64) error {
	dir, err := os.MkdirTemp("", "mutate")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	s, err := newSubject(ctx, dir, files)
	if err != nil {
		return err
	}
	missed, err := s.tryAll(ctx)
	if err != nil {
		return err
	}
	noticed := len(s.mutants) - missed
	score := 100 * float64(noticed) / float64(len(s.mutants))
	fmt.Printf("%d changes: %d noticed, %d not noticed; score %.1f %%\n", len(s.mutants), noticed, missed, score)
	if score < least {
		return fmt.Errorf("the score is below %.1f %%", least)
	}
	return nil
}

// subject is a package whose rules are changed.
type subject struct {
	rules
	pkg, binary string
}

// newSubject builds the tests of the files' package with all changes of the files in them, and sees them pass while all are switched off.
func newSubject(ctx context.Context, dir string, files []string) (*subject, error) {
	if len(files) == 0 {
		return nil, errors.New("name the files with the rules, all of one package")
	}
	s := &subject{rules: rules{sources: map[string][]byte{}}, pkg: filepath.Dir(files[0]), binary: filepath.Join(dir, "tests")}
	for _, name := range files {
		if filepath.Dir(name) != s.pkg {
			return nil, fmt.Errorf("%s is not in %s; name files of one package", name, s.pkg)
		}
		if err := s.read(name); err != nil {
			return nil, err
		}
	}
	if len(s.mutants) == 0 {
		return nil, fmt.Errorf("nothing can be changed in %v", files)
	}
	overlay, err := s.overlay(dir)
	if err != nil {
		return nil, err
	}
	build := exec.CommandContext(ctx, "go", "test", "-c", "-vet=off", "-overlay", overlay, "-o", s.binary, ".")
	build.Dir = s.pkg
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build the tests with all changes in them: %w\n%s", err, out)
	}
	if said, noticed := s.try(ctx, mutant{}); noticed {
		return nil, fmt.Errorf("the tests of %s fail without any change:\n%s", s.pkg, said)
	}
	return s, nil
}

// overlay writes the switchable files, and what tells the compiler to take them.
func (s *subject) overlay(dir string) (string, error) {
	replace, of := map[string]string{}, ""
	for name, source := range s.sources {
		tree, err := parser.ParseFile(token.NewFileSet(), name, source, parser.PackageClauseOnly)
		if err != nil {
			return "", err
		}
		of = tree.Name.Name
		if err := put(replace, dir, name, s.switchable(name)); err != nil {
			return "", err
		}
	}
	if err := put(replace, dir, filepath.Join(s.pkg, "mutants_switched.go"), []byte("package "+of+helpers)); err != nil {
		return "", err
	}
	text, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	overlay := filepath.Join(dir, "overlay.json")
	return overlay, os.WriteFile(overlay, text, 0o600)
}

func put(replace map[string]string, dir, name string, text []byte) error {
	path, err := filepath.Abs(name)
	if err != nil {
		return err
	}
	replace[path] = filepath.Join(dir, filepath.Base(name))
	return os.WriteFile(replace[path], text, 0o600)
}

// tryAll counts the changes that no test notices, and prints them.
func (s *subject) tryAll(ctx context.Context) (missed int, err error) {
	var mu sync.Mutex
	var all sync.WaitGroup
	turns := make(chan struct{}, runtime.NumCPU())
	for done, m := range s.mutants {
		turns <- struct{}{}
		if ctx.Err() != nil {
			break
		}
		if done > 0 && done%100 == 0 {
			fmt.Fprintf(os.Stderr, "%d of %d changes tried\n", done, len(s.mutants))
		}
		all.Go(func() {
			defer func() { <-turns }()
			if _, noticed := s.try(ctx, m); !noticed {
				mu.Lock()
				defer mu.Unlock()
				missed++
				fmt.Println("not noticed:", m)
			}
		})
	}
	all.Wait()
	return missed, ctx.Err()
}

// try runs the tests with one change switched on, up to the first that fails.
func (s *subject) try(ctx context.Context, m mutant) (said string, noticed bool) {
	ctx, cancel := context.WithTimeout(ctx, testPatience)
	defer cancel()
	test := exec.CommandContext(ctx, s.binary, "-test.failfast")
	test.Dir = s.pkg
	test.Env = append(os.Environ(), fmt.Sprintf("%s=%d", chosenBy, m.n))
	out, err := test.CombinedOutput()
	return string(out), err != nil
}
