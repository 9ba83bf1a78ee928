package graph

import (
	"context"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler/extension"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"groundwork"
)

// metered takes the cost of each document off what its caller has left, before anything is resolved. It comes after the limits of a document:
// what they refuse costs nothing, as nothing was done.
type metered struct{ meter groundwork.Meter }

// ExtensionName implements graphql.HandlerExtension.
func (metered) ExtensionName() string { return "RateLimit" }

// Validate implements graphql.HandlerExtension.
func (metered) Validate(graphql.ExecutableSchema) error { return nil }

// MutateOperationContext implements graphql.OperationContextMutator.
func (m metered) MutateOperationContext(ctx context.Context, op *graphql.OperationContext) *gqlerror.Error {
	charge := groundwork.Charge{Points: 1}
	if stats, ok := op.Stats.GetExtension("ComplexityLimit").(*extension.ComplexityStats); ok {
		charge.Points = max(stats.Complexity, 1)
	}
	if op.Operation.Operation == ast.Mutation {
		charge.Submissions = countRoot(op.Operation.SelectionSet, "submitOpinion")
	}
	if err := m.meter.Admit(ctx, charge); err != nil {
		return gqlerror.Wrap(err)
	}
	return nil
}

// countRoot counts a root field by its true name, whatever it is called and in whichever fragment it stands. The shape of the document is bounded
// before.
func countRoot(set ast.SelectionSet, name string) (n int) {
	for _, selection := range set {
		switch s := selection.(type) {
		case *ast.Field:
			if s.Name == name {
				n++
			}
		case *ast.InlineFragment:
			n += countRoot(s.SelectionSet, name)
		case *ast.FragmentSpread:
			n += countRoot(s.Definition.SelectionSet, name)
		}
	}
	return n
}
