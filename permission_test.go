package groundwork_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"groundwork"
)

func TestEachOperationIsListedOnce(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, o := range groundwork.Operations {
		require.False(t, seen[o.Name], "%s is listed twice", o.Name)
		seen[o.Name] = true
		require.NotEmpty(t, o.Grants, "%s is for nobody", o.Name)
		for role, scope := range o.Grants {
			require.Contains(t, groundwork.Roles, role, o.Name)
			require.Contains(t, []groundwork.Scope{groundwork.Anywhere, groundwork.InRegion, groundwork.OfUnit, groundwork.Own, groundwork.Public}, scope, o.Name)
		}
	}
}

func TestAllowed(t *testing.T) {
	t.Parallel()
	scope, ok := groundwork.Allowed("dispatchIssue", groundwork.RoleDispatcher)
	require.True(t, ok)
	require.Equal(t, groundwork.InRegion, scope)
	_, ok = groundwork.Allowed("dispatchIssue", groundwork.RoleCitizen)
	require.False(t, ok)
	_, ok = groundwork.Allowed("noSuchField", groundwork.RoleSystem)
	require.False(t, ok, "what is not listed is refused to everybody")
}
