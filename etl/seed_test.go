package etl

import (
	"embed"
	"io/fs"

	"github.com/stretchr/testify/require"
)

// seeds fill every published table with at least one row, each column with and without its optional value. Nouns have a file each
// (seed_*.sql), run in the order of their names after seed.sql.
//
//go:embed testdata/seed*.sql
var seeds embed.FS

func (r *rig) seed() {
	r.t.Helper()
	names, err := fs.Glob(seeds, "testdata/seed*.sql") // '.' sorts before '_'
	require.NoError(r.t, err)
	for _, name := range names {
		text, err := seeds.ReadFile(name)
		require.NoError(r.t, err)
		r.exec(string(text))
	}
}

//go:embed TYPES.md
var typesDoc string
