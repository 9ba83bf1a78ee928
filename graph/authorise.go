package graph

import (
	"context"
	"strings"

	"github.com/99designs/gqlgen/graphql"

	"groundwork"
)

// permissions refuse a root field to whoever may not ask for it, before anything is read. How far a role reaches with what it may ask
// for is decided by the system of record.
type permissions struct{}

var _ interface {
	graphql.HandlerExtension
	graphql.RootFieldInterceptor
} = permissions{}

func (permissions) ExtensionName() string                   { return "Permissions" }
func (permissions) Validate(graphql.ExecutableSchema) error { return nil }

// InterceptRootField implements graphql.RootFieldInterceptor.
func (permissions) InterceptRootField(ctx context.Context, next graphql.RootResolver) graphql.Marshaler {
	field := graphql.GetRootFieldContext(ctx).Field
	if strings.HasPrefix(field.Name, "__") { // introspection has a switch of its own
		return next(ctx)
	}
	role := groundwork.ActorFrom(ctx).Role
	if _, ok := groundwork.Allowed(field.Name, role); ok {
		return next(ctx)
	}
	ctx = graphql.WithFieldContext(ctx, &graphql.FieldContext{Field: field}) // the error tells which field
	graphql.AddError(ctx, groundwork.Errorf(groundwork.CodeForbidden, "%s is not for role %s", field.Name, role))
	return graphql.Null
}
