package etl

import (
	_ "embed"
)

// seedSQL fills every published table with at least one row, each column with and without its optional value.
//
//go:embed testdata/seed.sql
var seedSQL string

func (r *rig) seed() { r.t.Helper(); r.exec(seedSQL) }

//go:embed TYPES.md
var typesDoc string
