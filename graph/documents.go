package graph

import (
	"io"

	"groundwork/graph/edge"
	"groundwork/graph/gen"
)

// ReadDocuments reads a manifest of trusted documents (edge.ReadDocuments) for this API; all of them answer by its schema.
func ReadDocuments(manifest io.Reader) (map[string]string, error) {
	return edge.ReadDocuments(manifest, gen.NewExecutableSchema(gen.Config{}).Schema())
}
