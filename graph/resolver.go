package graph

//go:generate go tool gqlgen

import (
	"log/slog"
	"time"

	"github.com/vektah/gqlparser/v2/ast"

	"groundwork"
	"groundwork/warehouse"
)

// Resolver answers the fields of the schema that are no plain members of their object. The *.resolvers.go files beside it hold one
// method a field, in the order of the schema; gqlgen keeps their bodies when it regenerates them.
type Resolver struct {
	store    groundwork.Store
	measures Measures      // nil: there is no warehouse
	wait     time.Duration // for the write of a consistency token
	meter    groundwork.Meter
	logger   *slog.Logger
	now      func() time.Time
	schema   *ast.Schema

	feed      *pulse[groundwork.FeedPosition] // of the system of record
	freshness *pulse[warehouse.Watermark]     // of the warehouse
}
