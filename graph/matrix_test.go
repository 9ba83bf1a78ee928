package graph_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2/ast"

	"groundwork"
	"groundwork/graph/gen"
)

// asking writes a document that asks for a root field with something of the right type for all that it needs.
type asking struct{ schema *ast.Schema }

func (a asking) document(kind string, field *ast.FieldDefinition) string {
	var args []string
	for _, arg := range field.Arguments {
		if arg.Type.NonNull && arg.DefaultValue == nil || arg.Name == "first" {
			args = append(args, arg.Name+": "+a.value(arg.Type))
		}
	}
	call := field.Name
	if len(args) > 0 {
		call += "(" + strings.Join(args, ", ") + ")"
	}
	if d := a.schema.Types[field.Type.Name()]; d.IsCompositeType() {
		call += " { __typename }"
	}
	return strings.ToLower(kind) + " { " + call + " }"
}

func (a asking) value(t *ast.Type) string {
	if t.Elem != nil {
		return "[" + a.value(t.Elem) + "]"
	}
	switch d := a.schema.Types[t.Name()]; d.Kind {
	case ast.Enum:
		return d.EnumValues[0].Name
	case ast.InputObject:
		var fields []string
		for _, f := range d.Fields {
			if f.Type.NonNull && f.DefaultValue == nil {
				fields = append(fields, f.Name+": "+a.value(f.Type))
			}
		}
		return "{" + strings.Join(fields, ", ") + "}"
	}
	return map[string]string{"ID": `"SXNzdWU6MDAwMDAwMDAtMDAwMC03MDAwLTgwMDAtMDAwMDAwMDAwMDAw"`, "String": `"x"`, "Int": "1", "Float": "1", "Boolean": "true",
		"DateTime": `"2026-01-01T00:00:00Z"`, "Date": `"2026-01-01"`, "JSON": "{}"}[t.Name()]
}

// Every role asks for every root field: what the table allows is not refused for the role, and all else is, before anything is read.
func TestEveryRoleAsksForEverything(t *testing.T) {
	t.Parallel()
	f := newOffice(t, options{})
	a := asking{gen.NewExecutableSchema(gen.Config{}).Schema()}
	asked := 0
	for _, kind := range []string{"Query", "Mutation", "Subscription"} {
		for _, field := range a.schema.Types[kind].Fields {
			if strings.HasPrefix(field.Name, "__") {
				continue
			}
			document := a.document(kind, field)
			for _, role := range groundwork.Roles {
				asked++
				r := f.as(string(role)).asks(kind, document)
				refusal := fmt.Sprintf("%s is not for role %s", field.Name, role)
				_, allowed := groundwork.Allowed(field.Name, role)
				refused := len(r.Errors) == 1 && r.Errors[0].Message == refusal && r.Errors[0].Extensions.Code == "FORBIDDEN"
				require.Equal(t, allowed, !refused, "%s as %s: %s", document, role, r.body)
				for _, e := range r.Errors {
					require.NotContains(t, []string{"GRAPHQL_PARSE_FAILED", "GRAPHQL_VALIDATION_FAILED", "INTERNAL"}, e.Extensions.Code, "%s as %s: %s", document, role, r.body)
				}
			}
		}
	}
	require.Greater(t, asked, 1000)
}
