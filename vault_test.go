package groundwork_test

import (
	"bytes"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"groundwork"
)

func vaultKey(t *testing.T, b byte) groundwork.VaultKey {
	key, err := groundwork.NewVaultKey(bytes.Repeat([]byte{b}, 32))
	require.NoError(t, err)
	return key
}

func TestIdentitiesAreSealed(t *testing.T) {
	t.Parallel()
	one, two := vaultKey(t, 1), vaultKey(t, 2)
	whose, other := uuid.New(), uuid.New()
	contact := groundwork.Contact{Name: "李梅", Phone: "13800000000"}
	old, err := groundwork.VaultKeys{one}.Seal(whose, contact)
	require.NoError(t, err)
	require.NotContains(t, string(old.Box), "李梅")
	again, err := groundwork.VaultKeys{one}.Seal(whose, contact)
	require.NoError(t, err)
	require.NotEqual(t, old.Box, again.Box, "the same twice cannot be told")

	var opened groundwork.Contact
	both := groundwork.VaultKeys{two, one}
	require.NoError(t, both.Open(whose, old, &opened), "what the older key sealed")
	require.Equal(t, contact, opened)
	fresh, err := both.Seal(whose, contact)
	require.NoError(t, err)
	require.Equal(t, two.ID, fresh.KeyID)
	require.ErrorContains(t, groundwork.VaultKeys{one}.Open(whose, fresh, &opened), "does not have")
	require.ErrorContains(t, both.Open(other, old, &opened), "tampered", "put beside another pseudonym")
	old.Box[len(old.Box)-1] ^= 1
	require.ErrorContains(t, both.Open(whose, old, &opened), "tampered")
	_, err = groundwork.VaultKeys(nil).Seal(whose, contact)
	require.Equal(t, groundwork.CodeInvalid, groundwork.CodeOf(err))
	_, err = groundwork.NewVaultKey([]byte("short"))
	require.Error(t, err)
}

// Who may know who reported, role by role.
func TestWhoNeedsAContact(t *testing.T) {
	t.Parallel()
	type facts = groundwork.ContactFacts
	claimed, closed, going, merged := groundwork.Claimed, groundwork.Closed, groundwork.InProgress, groundwork.Merged
	for _, c := range []struct {
		name  string
		role  groundwork.Role
		facts facts
		may   bool
	}{
		{"the unit that has it", groundwork.RoleHandler, facts{State: &going, InHand: true, Had: true}, true},
		{"its head", groundwork.RoleUnitHead, facts{State: &claimed, InHand: true, Had: true}, true},
		{"a unit that gave it back", groundwork.RoleHandler, facts{State: &going, Had: true}, false},
		{"another unit", groundwork.RoleHandler, facts{State: &going}, false},
		{"when it is over", groundwork.RoleHandler, facts{State: &closed, InHand: true, Had: true}, false},
		{"when it is merged", groundwork.RoleHandler, facts{State: &merged, InHand: true, Had: true}, false},
		{"before there is an issue", groundwork.RoleHandler, facts{InHand: true}, false},
		{"who carries the case", groundwork.RoleLeader, facts{State: &going, Carried: true}, true},
		{"another official", groundwork.RoleLeader, facts{State: &going}, false},
		{"who calls back", groundwork.RoleCaller, facts{State: &claimed}, true},
		{"who calls back before the claim", groundwork.RoleCaller, facts{State: &going}, false},
		{"who calls back what it handled", groundwork.RoleCaller, facts{State: &claimed, Had: true}, false},
		{"who took it in", groundwork.RoleIntake, facts{RecordedBy: "me"}, true},
		{"who took it in, while it is open", groundwork.RoleIntake, facts{RecordedBy: "me", State: &going}, true},
		{"who took it in, afterwards", groundwork.RoleIntake, facts{RecordedBy: "me", State: &closed}, false},
		{"who took in others", groundwork.RoleIntake, facts{RecordedBy: "li"}, false},
		{"the privacy officer", groundwork.RolePrivacyOfficer, facts{State: &closed, Reached: true}, true},
		{"the privacy officer of another region", groundwork.RolePrivacyOfficer, facts{State: &closed}, false},
		{"the privacy officer, in confidence", groundwork.RolePrivacyOfficer, facts{Reached: true, Confidentiality: groundwork.Confidential}, false},
		{"the unit, in confidence", groundwork.RoleHandler, facts{State: &going, InHand: true, Confidentiality: groundwork.Confidential}, false},
		{"a dispatcher", groundwork.RoleDispatcher, facts{State: &going, InHand: true}, false},
		{"a supervisor", groundwork.RoleSupervisor, facts{State: &going}, false},
		{"a citizen", groundwork.RoleCitizen, facts{State: &going, RecordedBy: "me"}, false},
		{"an analyst", groundwork.RoleAnalyst, facts{State: &going}, false},
		{"the system", groundwork.RoleSystem, facts{State: &going}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := c.facts.Check(groundwork.Actor{ID: "me", Role: c.role})
			if c.may {
				require.NoError(t, err)
				return
			}
			require.Equal(t, groundwork.CodeForbidden, groundwork.CodeOf(err))
		})
	}
}
