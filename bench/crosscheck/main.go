// Command crosscheck asks R the questions that package stats answers, over invented data, and compares: Kaplan–Meier and Aalen–Johansen with
// survival and cmprsk, Gi* and shrunk rates with spdep, weekly surprise with surveillance, intervals and adjusted p with base R, and group-time
// effects with a second writing of their definition. It fails if any figure lies further apart than 1e-6.
//
//	go run ./bench/crosscheck -seed 1
//
// It needs Rscript with these packages (Debian: r-base-core r-cran-survival r-cran-cmprsk r-cran-spdep r-cran-surveillance).
package main

import (
	"bufio"
	"bytes"
	_ "embed"
	"encoding/csv"
	"errors"
	"flag"
	"fmt"
	"maps"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

//go:embed check.R
var script string

func main() {
	seed := flag.Uint64("seed", 1, "of the invented data")
	rscript := flag.String("rscript", "Rscript", "the program")
	flag.Parse()
	if err := run(*seed, *rscript); err != nil {
		fmt.Fprintln(os.Stderr, "crosscheck:", err)
		os.Exit(1)
	}
}

// bound is the greatest relative distance; what is computed directly agrees to rounding, what is iterated to the end of the iteration.
const bound = 1e-6

func run(seed uint64, rscript string) error {
	dir, err := os.MkdirTemp("", "crosscheck")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	ours, tables, err := questions(seed)
	if err != nil {
		return err
	}
	for name, rows := range tables {
		var text bytes.Buffer
		if err := csv.NewWriter(&text).WriteAll(rows); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, name+".csv"), text.Bytes(), 0o600); err != nil {
			return err
		}
	}
	theirs, err := askR(rscript, dir)
	if err != nil {
		return err
	}
	return compare(ours, theirs)
}

// askR runs the script and reads its figures.
func askR(rscript, dir string) (map[string]float64, error) {
	file := filepath.Join(dir, "check.R")
	if err := os.WriteFile(file, []byte(script), 0o600); err != nil {
		return nil, err
	}
	c := exec.Command(rscript, "--vanilla", file, dir)
	var complaints bytes.Buffer
	c.Stderr = &complaints
	said, err := c.Output()
	if err != nil {
		return nil, fmt.Errorf("%s: %w (it needs the packages survival, cmprsk, spdep and surveillance): %s", rscript, err, complaints.String())
	}
	figures := map[string]float64{}
	for lines := bufio.NewScanner(bytes.NewReader(said)); lines.Scan(); {
		at := strings.LastIndexByte(lines.Text(), ',')
		if at < 0 {
			return nil, fmt.Errorf("the script said %q, which is no figure", lines.Text())
		}
		if figures[lines.Text()[:at]], err = strconv.ParseFloat(strings.Replace(lines.Text()[at+1:], "NA", "NaN", 1), 64); err != nil {
			return nil, err
		}
	}
	return figures, nil
}

// kind is what a figure is of: its first word without digits.
func kind(name string) string {
	word, _, _ := strings.Cut(name, " ")
	word, _, _ = strings.Cut(word, "(")
	return strings.TrimRight(word, "0123456789")
}

// compare prints the greatest distance of each kind and fails if one is beyond its bound, or a figure is on one side only.
func compare(ours, theirs map[string]float64) error {
	var faults []error
	worst, count := map[string]float64{}, map[string]int{}
	for _, name := range slices.Sorted(maps.Keys(ours)) {
		b, answered := theirs[name]
		if !answered {
			faults = append(faults, fmt.Errorf("only here is an answer to %s", name))
			continue
		}
		k := kind(name)
		distance := apart(ours[name], b)
		count[k]++
		worst[k] = max(worst[k], distance)
		if distance > bound {
			faults = append(faults, fmt.Errorf("%s: %.10g here, %.10g in R", name, ours[name], b))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(theirs)) {
		if _, ok := ours[name]; !ok {
			faults = append(faults, fmt.Errorf("only R has an answer to %s", name))
		}
	}
	fmt.Print("| figures of | compared | greatest distance |\n|---|---:|---:|\n")
	for _, k := range slices.Sorted(maps.Keys(count)) {
		fmt.Printf("| %s | %d | %.2g |\n", k, count[k], worst[k])
	}
	return errors.Join(faults...)
}

// apart is the distance of two figures relative to the second, where that is above one; two unknown ones are equal.
func apart(a, b float64) float64 {
	if math.IsNaN(a) && math.IsNaN(b) || a == b {
		return 0
	}
	if d := math.Abs(a-b) / max(1, math.Abs(b)); !math.IsNaN(d) {
		return d
	}
	return math.Inf(1)
}
