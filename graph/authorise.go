package graph

import (
	"context"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"groundwork"
)

// permissions refuse a root field to whoever may not ask for it, before anything is read. How far a role reaches with what it may ask
// for is decided by the system of record.
type permissions struct{}

var _ interface {
	graphql.HandlerExtension
	graphql.RootFieldInterceptor
	graphql.OperationContextMutator
} = permissions{}

func (permissions) ExtensionName() string                   { return "Permissions" }
func (permissions) Validate(graphql.ExecutableSchema) error { return nil }

// InterceptRootField implements graphql.RootFieldInterceptor.
func (permissions) InterceptRootField(ctx context.Context, next graphql.RootResolver) graphql.Marshaler {
	field := graphql.GetRootFieldContext(ctx).Field
	if strings.HasPrefix(field.Name, "__") { // introspection has a switch of its own
		return next(ctx)
	}
	if err := refusal(ctx, field.Name); err != nil {
		graphql.AddError(graphql.WithFieldContext(ctx, &graphql.FieldContext{Field: field}), err) // the error tells which field
		return graphql.Null
	}
	return next(ctx)
}

// MutateOperationContext implements graphql.OperationContextMutator for subscriptions, whose root field has no interceptor of its own.
func (permissions) MutateOperationContext(ctx context.Context, op *graphql.OperationContext) *gqlerror.Error {
	if op.Operation.Operation != ast.Subscription {
		return nil
	}
	for _, field := range graphql.CollectFields(op, op.Operation.SelectionSet, []string{"Subscription"}) {
		if err := refusal(ctx, field.Name); err != nil {
			return gqlerror.WrapPath(ast.Path{ast.PathName(field.Alias)}, err)
		}
	}
	return nil
}

// refusal is why whoever asks may not ask for a root field; nil: they may.
func refusal(ctx context.Context, field string) error {
	role := groundwork.ActorFrom(ctx).Role
	if _, ok := groundwork.Allowed(field, role); !ok {
		return groundwork.Errorf(groundwork.CodeForbidden, "%s is not for role %s", field, role)
	}
	return nil
}
