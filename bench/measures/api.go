package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"groundwork/warehouse"
)

// panels are what a dashboard shows of all counties.
var panels = []string{"T1", "T2", "T3", "T4", "H1", "E1"}

// spoken is what the API adds to measures, in milliseconds: medians.
type spoken struct {
	Direct   float64 `json:"direct_ms"`   // T2, protected, asked of the warehouse
	API      float64 `json:"api_ms"`      // the same by GraphQL, as the public
	Again    float64 `json:"again_ms"`    // asked again
	Slowest  float64 `json:"slowest_ms"`  // of the panels, each asked alone
	Together float64 `json:"together_ms"` // all in one request
}

// zones are time zones with the same answers by county: a question in another of them is another question, which nobody remembers. What was asked in one is forgotten after five minutes.
func zones() (all []string) {
	for hours := -14; hours <= 12; hours++ {
		all = append(all, fmt.Sprintf("Etc/GMT%+d", hours))
	}
	return all
}

// speak asks the API and the warehouse in turns.
func (b bench) speak(ctx context.Context, measures *warehouse.Measures) (s spoken, err error) {
	left := zones()
	if 3*b.rounds > len(left) {
		return s, fmt.Errorf("-api can ask in %d rounds at most, not in %d", len(left)/3, b.rounds)
	}
	var zone string
	anew := func() { zone, left = left[0], left[1:] }
	q := warehouse.Question{Query: warehouse.Query{By: []warehouse.Dimension{warehouse.ByRegion}, RegionLevel: "COUNTY"}}
	q.Protect = true
	alone := make([][]float64, len(panels))
	var direct, api, again, together []float64
	timed := func(to *[]float64, do func() error) {
		if err == nil {
			began := time.Now()
			err = do()
			*to = append(*to, float64(time.Since(began).Microseconds())/1000)
		}
	}
	ask := func(codes ...string) func() error {
		return func() error { return b.post(ctx, zone, codes...) }
	}
	for range b.rounds {
		anew()
		timed(&direct, func() error { _, err := measures.Ask(ctx, "T2", q); return err })
		timed(&api, ask("T2"))
		for range 20 {
			timed(&again, ask("T2"))
		}
		anew()
		for i, code := range panels {
			timed(&alone[i], ask(code))
		}
		anew()
		timed(&together, ask(panels...))
	}
	if err != nil {
		return spoken{}, err
	}
	s = spoken{Direct: middle(direct), API: middle(api), Again: middle(again), Together: middle(together)}
	for _, took := range alone {
		s.Slowest = max(s.Slowest, middle(took))
	}
	return s, nil
}

// post asks the API for measures by county, each as a field of its own, and reads the answer to its end.
func (b bench) post(ctx context.Context, zone string, codes ...string) error {
	var query strings.Builder
	query.WriteString("{")
	for _, code := range codes {
		fmt.Fprintf(&query, " %[1]s: measures(query: {measures: [%[1]s], by: [REGION], regionLevel: COUNTY, timezone: %[2]q}) { dimensions { codes } numbers { name unit n values ciLow ciHigh suppressed } }", code, zone)
	}
	query.WriteString(" }")
	body, err := json.Marshal(map[string]string{"query": query.String()})
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, b.api, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	said, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if bytes.Contains(said, []byte(`"errors"`)) || response.StatusCode != http.StatusOK {
		return errors.New(response.Status + ": " + string(said[:min(len(said), 500)]))
	}
	return nil
}
