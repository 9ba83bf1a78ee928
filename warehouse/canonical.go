package warehouse

import (
	"encoding/json"
	"strconv"
	"time"
)

// canonicalDigits are the significant digits of numbers in a canonical answer: sums of floating-point numbers may differ in the last bits
// with the order in which an engine's threads add them.
const canonicalDigits = 12

// canonicalTable is an answer as it is kept: what was found and of when, without what changes while nothing that is asked for does (the
// watermark, labels, notes).
type canonicalTable struct {
	Measure           string            `json:"measure"`
	DefinitionVersion string            `json:"definitionVersion"`
	Anchor            string            `json:"anchor"`
	AsOf              string            `json:"asOf"`
	Dimensions        []canonicalDim    `json:"dimensions"`
	N                 []int64           `json:"n"`
	Numbers           []canonicalNumber `json:"numbers"`
	Flags             map[string][]bool `json:"flags"`
	Excluded          map[string]int64  `json:"excluded"`
	Truncated         bool              `json:"truncated"`
}

type canonicalDim struct {
	Dimension Dimension  `json:"dimension"`
	Keys      [][]string `json:"keys"` // id and code; empty = unknown
}

type canonicalNumber struct {
	Name   string         `json:"name"`
	Unit   string         `json:"unit"`
	Value  []*json.Number `json:"value"`
	CILow  []*json.Number `json:"ciLow,omitempty"`
	CIHigh []*json.Number `json:"ciHigh,omitempty"`
	Of     []int64        `json:"of,omitempty"`
}

// Canonical writes the answer as text that is the same, bit by bit, whenever the same question about the same moment finds the same.
func (t *Table) Canonical() (string, error) {
	c := canonicalTable{Measure: t.Measure, DefinitionVersion: t.DefinitionVersion, Anchor: t.Anchor, AsOf: t.AsOf.UTC().Format(time.RFC3339Nano),
		Dimensions: []canonicalDim{}, N: append([]int64{}, t.N...), Numbers: []canonicalNumber{}, Flags: t.Flags, Excluded: t.Excluded, Truncated: t.Truncated}
	for _, d := range t.Dims {
		keys := make([][]string, len(d.Keys))
		for i, k := range d.Keys {
			keys[i] = []string{k.ID, k.Code}
		}
		c.Dimensions = append(c.Dimensions, canonicalDim{d.Dimension, keys})
	}
	for _, n := range t.Nums {
		c.Numbers = append(c.Numbers, canonicalNumber{n.Name, n.Unit, canonicalNumbers(n.Value), canonicalNumbers(n.Lo), canonicalNumbers(n.Hi), n.Of})
	}
	raw, err := json.Marshal(c)
	return string(raw), err
}

func canonicalNumbers(values []*float64) []*json.Number {
	numbers := make([]*json.Number, len(values))
	for i, v := range values {
		if v == nil {
			continue
		}
		number := json.Number(strconv.FormatFloat(*v, 'g', canonicalDigits, 64))
		if *v == 0 {
			number = "0" // minus zero is zero
		}
		numbers[i] = &number
	}
	return numbers
}
