package graph_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"groundwork"
	"groundwork/graph/gen"
)

func TestEveryRootFieldIsAnOperation(t *testing.T) {
	t.Parallel()
	schema := gen.NewExecutableSchema(gen.Config{}).Schema()
	listed := map[string]bool{}
	for _, o := range groundwork.Operations {
		listed[o.Name] = true
	}
	for _, root := range []string{"Query", "Mutation", "Subscription"} {
		for _, field := range schema.Types[root].Fields {
			if strings.HasPrefix(field.Name, "__") {
				continue
			}
			require.True(t, listed[field.Name], "%s.%s is for nobody: list it in the noun's operations", root, field.Name)
			delete(listed, field.Name)
		}
	}
	require.Empty(t, listed, "operations that the schema does not have")
}

func TestAFieldIsRefusedToWhoeverMayNotAskForIt(t *testing.T) {
	t.Parallel()
	f := newOffice(t, options{})
	r := f.as("CITIZEN").ask(`mutation { x: createRegion(input: {code: "440000000000", level: PROVINCE, name: "B"}) { region { id } } }`, nil)
	require.Len(t, r.Errors, 1)
	require.Equal(t, "FORBIDDEN", r.Errors[0].Extensions.Code)
	require.Equal(t, "createRegion is not for role CITIZEN", r.Errors[0].Message)
	require.Equal(t, []any{"x"}, r.Errors[0].Path)
}
