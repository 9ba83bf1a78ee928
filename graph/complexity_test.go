package graph

import (
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"groundwork/graph/gen"
)

// TestEveryListHasItsCost finds the fields that take a page size in the generated code, so that no new one is forgotten.
func TestEveryListHasItsCost(t *testing.T) {
	t.Parallel()
	costs := reflect.ValueOf(complexity())
	schema := gen.NewExecutableSchema(gen.Config{}).Schema()
	lists := 0
	for _, typ := range schema.Types {
		for _, field := range typ.Fields {
			sized := field.Arguments.ForName("first") != nil || field.Arguments.ForName("ids") != nil || field.Arguments.ForName("query") != nil
			if !sized {
				continue
			}
			lists++
			cost := costs.FieldByName(typ.Name).FieldByNameFunc(func(name string) bool { return strings.EqualFold(name, field.Name) })
			require.True(t, cost.IsValid() && !cost.IsNil(), "%s.%s has no cost in complexity.go", typ.Name, field.Name)
		}
	}
	require.Greater(t, lists, 15)
}

func TestPageCost(t *testing.T) {
	t.Parallel()
	n := func(v int32) *int32 { return &v }
	require.Equal(t, 51, pageCost(1, n(50), nil))
	require.Equal(t, 21, pageCost(2, nil, n(10)))
	require.Equal(t, 101, pageCost(1, nil, nil), "what will be refused is not cheap")
	require.Equal(t, 101, pageCost(1, n(1000000), nil))
	require.Equal(t, 2, pageCost(1, n(-7), nil))
}
