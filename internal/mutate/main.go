// Command mutate proves that the rules are tested: it changes one thing at a time in the files named (drops a guard, negates a
// condition, drops half of one, moves a boundary), runs the tests of their package on the changed code, and lists the changes that
// no test noticed. The files themselves stay as they are: the changed ones are given to the compiler as an overlay.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"time"
)

// testPatience bounds a run of the tests; a change that makes them hang is noticed.
const testPatience = 2 * time.Minute

func main() {
	least := flag.Float64("least", 0, "fail if fewer than this percentage of the changes are noticed")
	flag.Parse()
	if err := run(flag.Args(), *least); err != nil {
		fmt.Fprintln(os.Stderr, "mutate:", err)
		os.Exit(1)
	}
}

func run(files []string, least float64) error {
	var mutants []mutant
	for _, name := range files {
		found, err := mutantsOf(name)
		if err != nil {
			return err
		}
		mutants = append(mutants, found...)
	}
	outcomes := tryAll(mutants)
	count := map[outcome]int{}
	for _, o := range outcomes {
		count[o]++
	}
	viable := count[noticed] + count[survived]
	if viable == 0 {
		return fmt.Errorf("nothing could be changed in %v", files)
	}
	score := 100 * float64(count[noticed]) / float64(viable)
	fmt.Printf("%d changes: %d noticed, %d not noticed, %d not compiled; score %.1f %%\n", len(mutants), count[noticed], count[survived], count[broken], score)
	if score < least {
		return fmt.Errorf("the score is below %.1f %%", least)
	}
	return nil
}

// outcome is what became of a change.
type outcome string

const (
	noticed  outcome = "noticed"
	survived outcome = "survived"
	broken   outcome = "broken" // it did not compile, so it says nothing about the tests
)

func tryAll(mutants []mutant) []outcome {
	outcomes := make([]outcome, len(mutants))
	var all sync.WaitGroup
	turns := make(chan struct{}, runtime.NumCPU())
	for n, m := range mutants {
		turns <- struct{}{}
		all.Go(func() {
			defer func() { <-turns }()
			if outcomes[n] = try(m); outcomes[n] == survived {
				fmt.Println("not noticed:", m)
			}
		})
	}
	all.Wait()
	return outcomes
}

// try runs the tests of the package on the changed file.
func try(m mutant) outcome { return tryIn(filepath.Dir(m.file), m) }

func tryIn(pkg string, m mutant) outcome {
	dir, err := os.MkdirTemp("", "mutate")
	if err != nil {
		return broken
	}
	defer os.RemoveAll(dir)
	changed, overlay := filepath.Join(dir, filepath.Base(m.file)), filepath.Join(dir, "overlay.json")
	path, err := filepath.Abs(m.file)
	if err != nil {
		return broken
	}
	replace, err := json.Marshal(map[string]any{"Replace": map[string]string{path: changed}})
	if err != nil || os.WriteFile(changed, m.apply(), 0o600) != nil || os.WriteFile(overlay, replace, 0o600) != nil {
		return broken
	}
	ctx, cancel := context.WithTimeout(context.Background(), testPatience)
	defer cancel()
	test := exec.CommandContext(ctx, "go", "test", "-count=1", "-failfast", "-vet=off", "-overlay", overlay, ".")
	test.Dir = pkg
	out, err := test.CombinedOutput()
	switch {
	case err == nil:
		return survived
	case bytes.Contains(out, []byte("[build failed]")):
		return broken
	default:
		return noticed
	}
}
