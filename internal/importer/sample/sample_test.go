package sample_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"groundwork/internal/importer"
	"groundwork/internal/importer/sample"
	"groundwork/internal/importer/sample/generate"
)

var opt = importer.Options{Now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}

func TestCommittedFilesAreCurrent(t *testing.T) {
	t.Parallel()
	made := generate.Files()
	require.Len(t, sample.Files(), len(made))
	for _, f := range sample.Files() {
		require.Equal(t, string(made[f.Name]), string(f.Data), "%s: run go generate ./internal/importer/sample", f.Name)
	}
}

func TestSampleReads(t *testing.T) {
	t.Parallel()
	var files []*importer.File
	var records []importer.Record
	for _, f := range sample.Messages() {
		file, err := importer.ReadMessages(f.Data, f.Name, opt)
		require.NoError(t, err)
		require.Empty(t, file.Rejects)
		files = append(files, file)
		records = append(records, file.Records...)
	}
	s := importer.Summarise(files...)
	require.Greater(t, s.Records, 400)
	require.InDelta(t, 0.5, float64(s.Answered)/float64(s.Records), 0.1, "about half are answered")
	require.Greater(t, s.Records-s.Issues, 20, "some repeat an earlier one")
	require.Greater(t, s.Placed, s.Records*9/10)
	require.Less(t, s.Placed, s.Records)
	require.Len(t, s.ByKind, 6)
	days := 0
	for _, r := range records {
		require.Equal(t, 2025, r.ReceivedAt.Year())
		if r.ReceivedPrecision == importer.Day {
			days++
		}
	}
	require.Positive(t, days)
	require.False(t, s.Until.After(sample.ObservedUntil()))

	population, err := importer.ReadPopulation(sample.Population().Data, "population.csv")
	require.NoError(t, err)
	require.Empty(t, population.Rejects)
	known := map[string]bool{}
	for _, p := range population.Rows {
		known[p.Code] = true
	}
	for _, region := range importer.Regions(records) {
		require.Equal(t, region.Level != "PROVINCE", known[region.Code], "population of %s %s", region.Code, region.Name)
	}
}
