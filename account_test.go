package groundwork

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

func TestChooseRole(t *testing.T) {
	t.Parallel()
	roads, water := uuid.New(), uuid.New()
	handler := func(unit uuid.UUID) RoleBinding { return RoleBinding{Account: "li", Role: RoleHandler, UnitID: &unit} }
	dispatcher := RoleBinding{Account: "li", Role: RoleDispatcher, RegionIDs: []uuid.UUID{uuid.New()}}
	for name, c := range map[string]struct {
		bindings []RoleBinding
		role     Role
		unit     *uuid.UUID
		want     Role
		wantUnit *uuid.UUID
		code     Code
	}{
		"nothing bound, nothing asked":        {want: RoleCitizen},
		"nothing bound, a role asked":         {role: RoleHandler, code: CodeForbidden},
		"nothing bound, a unit asked":         {unit: &roads, code: CodeForbidden},
		"the only one":                        {bindings: []RoleBinding{dispatcher}, want: RoleDispatcher},
		"citizen beside what is bound":        {bindings: []RoleBinding{dispatcher}, role: RoleCitizen, want: RoleCitizen},
		"one of two by role":                  {bindings: []RoleBinding{dispatcher, handler(roads)}, role: RoleHandler, want: RoleHandler, wantUnit: &roads},
		"two, and neither asked for":          {bindings: []RoleBinding{dispatcher, handler(roads)}, code: CodeForbidden},
		"two of the same role":                {bindings: []RoleBinding{handler(roads), handler(water)}, role: RoleHandler, code: CodeForbidden},
		"two of the same role, one by unit":   {bindings: []RoleBinding{handler(roads), handler(water)}, role: RoleHandler, unit: &water, want: RoleHandler, wantUnit: &water},
		"by unit alone":                       {bindings: []RoleBinding{handler(roads), handler(water)}, unit: &roads, want: RoleHandler, wantUnit: &roads},
		"the role of somebody else's binding": {bindings: []RoleBinding{handler(roads)}, role: RoleSupervisor, code: CodeForbidden},
		"another unit than that of the role":  {bindings: []RoleBinding{handler(roads)}, role: RoleHandler, unit: &water, code: CodeForbidden},
		"a unit where the role has none":      {bindings: []RoleBinding{dispatcher}, role: RoleDispatcher, unit: &water, code: CodeForbidden},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := ChooseRole("li", c.bindings, c.role, c.unit)
			require.Equal(t, c.code, CodeOf(err), "%v", err)
			require.Equal(t, c.want, got.Role)
			if name == "two of the same role" {
				require.ErrorContains(t, err, roads.String()+", "+water.String(), "the role was named: the units are to choose from")
			}
			if c.code == "" {
				require.Equal(t, "li", got.ID)
				require.Equal(t, c.wantUnit, got.UnitID)
			}
		})
	}
}

func TestGrantsAreExamined(t *testing.T) {
	t.Parallel()
	now := time.Now()
	good := RoleGrant{Account: "li", Role: RoleHandler, Unit: "Roads"}
	require.NotContains(t, RoleGrant{Account: "li", Role: "KING"}.Validate(now).Error(), string(RoleSystem), "only what may be granted is offered")
	require.ErrorContains(t, RoleGrant{Account: "li", Role: RoleSystem}.Validate(now), "no account has it")
	later := now.Add(time.Second)
	for _, g := range []RoleGrant{good, {Account: strings.Repeat("x", 200), Role: RoleSupervisor}, {Account: "li", Role: RoleLeader, Official: "P-1"}, {Account: "li", Role: RoleIntake, ValidTo: &later}} {
		require.NoError(t, g.Validate(now))
	}
	require.Error(t, RoleGrant{Account: strings.Repeat("x", 201), Role: RoleSupervisor}.Validate(now))
	for field, spoil := range map[string]func(*RoleGrant){
		"account":  func(g *RoleGrant) { g.Account = "" },
		"role":     func(g *RoleGrant) { g.Role = "KING" },
		"unit":     func(g *RoleGrant) { g.Unit = "" },
		"official": func(g *RoleGrant) { g.Role = RoleLeader },
		"validTo":  func(g *RoleGrant) { g.ValidTo = &now },
	} {
		g := good
		spoil(&g)
		var e *Error
		require.ErrorAs(t, g.Validate(now), &e, field)
		require.Equal(t, field, e.Field)
	}
	for _, role := range []Role{RoleSystem, RoleCitizen} {
		require.Error(t, RoleGrant{Account: "li", Role: role, Unit: "Roads"}.Validate(now), role)
	}
	for _, account := range []string{Anonymous.ID, System.ID} {
		require.Error(t, RoleGrant{Account: account, Role: RoleHandler, Unit: "Roads"}.Validate(now), account)
	}
}
