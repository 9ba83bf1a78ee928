package main

import (
	"os"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

// readmeQueries are the queries of the README, each with its answer below it.
var readmeQueries = regexp.MustCompile("(?s)```graphql\n(.*?)```\n```json\n(.*?)```")

// The README's queries give the answers that it shows.
func TestReadme(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../README.md")
	require.NoError(t, err)
	pairs := readmeQueries.FindAllStringSubmatch(string(text), -1)
	require.Len(t, pairs, 6)
	s := up(t, t.TempDir())
	for _, pair := range pairs {
		data, faults := s.ask(pair[1], nil, nil)
		require.Empty(t, faults, pair[1])
		require.JSONEq(t, pair[2], string(data))
	}
}
