package groundwork_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"groundwork"
)

// door is a life small enough to be seen through.
var door = groundwork.Life[bool]{Noun: "door", Moves: []groundwork.Move[bool]{
	{Kind: "BUILT", To: "SHUT", Roles: []groundwork.Role{groundwork.RoleIntake}},
	{Kind: "OPENED", From: []string{"SHUT"}, To: "OPEN", Roles: []groundwork.Role{groundwork.RoleHandler, groundwork.RoleLeader}, Asks: "the key", Guards: []func(bool) error{hasKey}},
	{Kind: "KNOCKED", From: []string{"SHUT", "OPEN"}, Roles: []groundwork.Role{groundwork.RoleCitizen}},
	{Kind: "KNOCKED", From: []string{"OPEN"}, Roles: []groundwork.Role{groundwork.RoleCitizen}},
}}

func hasKey(key bool) error {
	if !key {
		return groundwork.Invalid("key", "opening needs the key")
	}
	return nil
}

func TestALifeSaysWhyThereIsNoWay(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		key        bool
		kind, from string
		role       groundwork.Role
		code       groundwork.Code
		says       string
	}{
		"no such step":   {true, "PAINTED", "SHUT", groundwork.RoleHandler, groundwork.CodeInvalid, `a door has no step "PAINTED"`},
		"not this role":  {true, "OPENED", "SHUT", groundwork.RoleCitizen, groundwork.CodeForbidden, "OPENED of a door is not for role CITIZEN; it is for HANDLER, LEADER"},
		"not from here":  {true, "OPENED", "OPEN", groundwork.RoleHandler, groundwork.CodeTransition, "door 7 stands at OPEN; OPENED by HANDLER is possible from SHUT"},
		"the guard says": {false, "OPENED", "SHUT", groundwork.RoleHandler, groundwork.CodeInvalid, "opening needs the key"},
		"begun already":  {true, "BUILT", "SHUT", groundwork.RoleIntake, groundwork.CodeTransition, "door 7 stands at SHUT"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := door.Take(c.key, c.kind, c.from, c.role, "door 7")
			require.ErrorContains(t, err, c.says)
			require.Equal(t, c.code, groundwork.CodeOf(err))
		})
	}
	m, err := door.Take(true, "OPENED", "SHUT", groundwork.RoleLeader, "door 7")
	require.NoError(t, err)
	require.Equal(t, "OPEN", m.To)
	_, err = door.Take(true, "BUILT", "", groundwork.RoleIntake, "door 7")
	require.NoError(t, err)
}

func TestALifeSaysWhatIsPermitted(t *testing.T) {
	t.Parallel()
	require.Equal(t, []string{"OPENED"}, door.Permitted("SHUT", groundwork.RoleLeader))
	require.Equal(t, []string{"KNOCKED"}, door.Permitted("OPEN", groundwork.RoleCitizen))
	require.Empty(t, door.Permitted("OPEN", groundwork.RoleLeader))
	require.Equal(t, []groundwork.Role{groundwork.RoleCitizen}, door.RolesOf("KNOCKED"))
}

func TestALifeIsDrawn(t *testing.T) {
	t.Parallel()
	require.Equal(t, `stateDiagram-v2
    [*] --> SHUT: BUILT (INTAKE)
    SHUT --> OPEN: OPENED (HANDLER, LEADER)
    OPEN --> [*]
`, door.Machine().Diagram())
	require.Contains(t, door.Machine().Table(), "| OPENED | SHUT | OPEN | HANDLER, LEADER | the key |  |")
	require.Contains(t, door.Machine().Table(), "| KNOCKED | SHUT, OPEN | (stays) | CITIZEN |  |  |")
}
