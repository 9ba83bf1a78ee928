package postgres_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"groundwork"
	"groundwork/postgres"
	"groundwork/postgres/pgtest"
)

func TestRolesOfAccounts(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 5, 4, 9, 0, 0, 0, time.UTC)
	db := pgtest.Open(t, pgtest.New(t), postgres.Options{Now: func() time.Time { return now }})
	ctx := t.Context()
	unit, _, err := db.CreateOrgUnit(ctx, groundwork.System, groundwork.OrgUnit{Name: "Roads", Kind: "GOVT"})
	require.NoError(t, err)
	region, _, err := db.CreateRegion(ctx, groundwork.System, groundwork.Region{Code: "990000000000", Level: "PROVINCE", Name: "X省"})
	require.NoError(t, err)
	until := now.Add(time.Hour)
	handler := groundwork.RoleGrant{Account: "li", Role: groundwork.RoleHandler, Unit: "Roads", ValidTo: &until}
	made, err := db.GrantRole(ctx, groundwork.System, handler)
	require.NoError(t, err)
	require.Equal(t, &unit.ID, made.UnitID)
	dispatcher, err := db.GrantRole(ctx, groundwork.System, groundwork.RoleGrant{Account: "li", Role: groundwork.RoleDispatcher, RegionCodes: []string{region.Code}})
	require.NoError(t, err)
	require.Equal(t, []uuid.UUID{region.ID}, dispatcher.RegionIDs)

	bound, err := db.BindingsOf(ctx, "li")
	require.NoError(t, err)
	require.Len(t, bound, 2)
	_, err = db.GrantRole(ctx, groundwork.System, handler)
	require.Equal(t, groundwork.CodeConflict, groundwork.CodeOf(err))
	require.ErrorContains(t, err, "groundwork account revoke "+made.ID.String())

	for field, g := range map[string]groundwork.RoleGrant{
		"unit":     {Account: "li", Role: groundwork.RoleUnitHead, Unit: "Water"},
		"region":   {Account: "li", Role: groundwork.RoleSupervisor, RegionCodes: []string{"110000000000"}},
		"official": {Account: "li", Role: groundwork.RoleLeader, Official: "nobody"},
	} {
		_, err := db.GrantRole(ctx, groundwork.System, g)
		var e *groundwork.Error
		require.ErrorAs(t, err, &e)
		require.Equal(t, field, e.Field)
	}

	now = until
	bound, err = db.BindingsOf(ctx, "li")
	require.NoError(t, err)
	require.Len(t, bound, 1, "the other has run out")
	ended, err := db.RevokeRole(ctx, groundwork.System, dispatcher.ID)
	require.NoError(t, err)
	require.Equal(t, now, ended.ValidTo.UTC())
	now = now.Add(time.Hour)
	again, err := db.RevokeRole(ctx, groundwork.System, dispatcher.ID)
	require.NoError(t, err)
	require.Equal(t, ended.ValidTo, again.ValidTo, "to revoke again changes nothing")
	_, err = db.RevokeRole(ctx, groundwork.System, uuid.New())
	require.Equal(t, groundwork.CodeNotFound, groundwork.CodeOf(err))
	_, err = db.GrantRole(ctx, groundwork.System, groundwork.RoleGrant{Account: "li", Role: groundwork.RoleHandler, Unit: "Roads"})
	require.NoError(t, err, "what has ended makes room")
	page, err := db.RoleBindings(ctx, "li", groundwork.PageRequest{First: 10})
	require.NoError(t, err)
	require.Len(t, page.Items, 3)
	page, err = db.RoleBindings(ctx, "wang", groundwork.PageRequest{First: 10})
	require.NoError(t, err)
	require.Empty(t, page.Items)
}
