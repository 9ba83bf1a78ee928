package postgres_test

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"groundwork"
	"groundwork/postgres"
	"groundwork/postgres/pgtest"
)

// vault is a system of record that keeps identities.
type vault struct {
	*testing.T
	*postgres.DB
	dsn string
	now time.Time
}

func vaultKeyOf(t *testing.T, b byte) groundwork.VaultKey {
	key, err := groundwork.NewVaultKey(bytes.Repeat([]byte{b}, 32))
	require.NoError(t, err)
	return key
}

func newVault(t *testing.T) *vault {
	v := &vault{T: t, dsn: pgtest.New(t), now: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)}
	v.DB = v.open(postgres.RoleApp, vaultKeyOf(t, 1))
	return v
}

func (v *vault) open(role string, keys ...groundwork.VaultKey) *postgres.DB {
	return pgtest.Open(v, v.dsn, postgres.Options{Role: role, VaultKeys: keys, Now: func() time.Time { return v.now }})
}

// sql runs a statement as the owner, in the same transaction as what it says of who asks.
func (v *vault) sql(statement string, args ...any) (value any, err error) {
	ctx := context.WithoutCancel(v.Context())
	conn, err := pgx.Connect(ctx, v.dsn)
	require.NoError(v, err)
	defer conn.Close(ctx)
	err = conn.QueryRow(ctx, statement, args...).Scan(&value)
	return value, err
}

func (v *vault) submit(by groundwork.Actor, confidentiality string, c *groundwork.Contact) *groundwork.Opinion {
	v.Helper()
	o, _, err := v.SubmitOpinion(v.Context(), by, groundwork.Opinion{Channel: groundwork.ChannelHotline, Kind: groundwork.Help, Text: "The roof leaks.",
		Confidentiality: confidentiality, Contact: c})
	require.NoError(v, err)
	return o
}

var (
	atIntake  = groundwork.Actor{ID: "intake", Role: groundwork.RoleIntake, Everywhere: true, Via: groundwork.Request{ID: "r-1", Address: "203.0.113.7"}}
	privacy   = groundwork.Actor{ID: "privacy", Role: groundwork.RolePrivacyOfficer, Everywhere: true}
	herself   = &groundwork.Contact{Name: " 李梅 ", Phone: "13800000000", IDNumber: "110101199003070000", Address: "中山路 5 号"}
	callsBack = "to call the reporter back"
)

func TestContactsAreKeptAndReadForAPurpose(t *testing.T) {
	t.Parallel()
	v := newVault(t)
	o := v.submit(atIntake, "", herself)
	require.NotNil(t, o.ReporterPID, "whoever called in has a pseudonym of its own")
	ask := func(by groundwork.Actor, opinion uuid.UUID, why string) ([]groundwork.Reporter, error) {
		read, _, err := v.ReadContacts(t.Context(), by, groundwork.ContactQuery{OpinionID: &opinion, Purpose: why})
		return read, err
	}
	read, err := ask(atIntake, o.ID, callsBack)
	require.NoError(t, err)
	require.Equal(t, []groundwork.Reporter{{PID: *o.ReporterPID, Contact: groundwork.Contact{Name: "李梅", Phone: "13800000000", Address: "中山路 5 号"}}}, read,
		"the identity number is for the privacy officer")
	read, err = ask(privacy, o.ID, "the reporter asks what is known")
	require.NoError(t, err)
	require.Equal(t, "110101199003070000", read[0].IDNumber)

	// Each reading stands in the log, with why and of whom.
	log, err := v.sql(`SELECT string_agg(actor || '|' || action || '|' || purpose || '|' || address || '|' || request, ' ; ' ORDER BY id) FROM vault.access_log
		WHERE keys @> ARRAY[$1::text]`, o.ReporterPID.String())
	require.NoError(t, err)
	require.Equal(t, "intake|INSERT||203.0.113.7|r-1 ; intake|READ|to call the reporter back|203.0.113.7|r-1 ; privacy|READ|the reporter asks what is known||", log)
	stored, err := v.sql("SELECT encode(box, 'escape') FROM vault.identity WHERE pid = $1", o.ReporterPID)
	require.NoError(t, err)
	require.NotContains(t, stored, "1380000")

	_, err = ask(atIntake, o.ID, "because")
	require.ErrorContains(t, err, "say why")
	_, err = ask(groundwork.Actor{ID: "another", Role: groundwork.RoleIntake, Everywhere: true}, o.ID, callsBack)
	require.Equal(t, groundwork.CodeForbidden, groundwork.CodeOf(err))
	secret := v.submit(atIntake, groundwork.Confidential, herself)
	_, err = ask(privacy, secret.ID, callsBack)
	require.ErrorContains(t, err, "in confidence")
	nothing := v.submit(atIntake, "", &groundwork.Contact{Name: "  "})
	require.Nil(t, nothing.ReporterPID, "who said nothing of themselves")
	_, err = ask(privacy, uuid.New(), callsBack)
	require.Equal(t, groundwork.CodeNotFound, groundwork.CodeOf(err))

	without := v.open(postgres.RoleApp)
	_, _, err = without.SubmitOpinion(t.Context(), atIntake, groundwork.Opinion{Channel: groundwork.ChannelHotline, Kind: groundwork.Help, Text: "x", Contact: herself})
	require.ErrorContains(t, err, "--vault-key")
}

// What anybody may read of another region does not say who said it, not even to the privacy officer of this one.
func TestPrivacyOfficersReadIdentitiesOfTheirRegions(t *testing.T) {
	t.Parallel()
	v := newVault(t)
	place := func(code, level string, parent *uuid.UUID) *uuid.UUID {
		r, _, err := v.CreateRegion(t.Context(), groundwork.System, groundwork.Region{Code: code, Level: groundwork.RegionLevel(level), Name: code, ParentID: parent})
		require.NoError(t, err)
		return &r.ID
	}
	province := place("430000000000", "PROVINCE", nil)
	here, there := place("430100000000", "PREFECTURE", province), place("430200000000", "PREFECTURE", province)
	said := func(region *uuid.UUID) uuid.UUID {
		o, _, err := v.SubmitOpinion(t.Context(), atIntake, groundwork.Opinion{Channel: groundwork.ChannelHotline, Kind: groundwork.Help, Text: "The roof leaks.",
			RegionID: region, Contact: herself})
		require.NoError(t, err)
		return o.ID
	}
	inside, outside := said(here), said(there)
	bound := groundwork.Actor{ID: "privacy", Role: groundwork.RolePrivacyOfficer, RegionIDs: []uuid.UUID{*here}}
	ask := func(by groundwork.Actor, opinion uuid.UUID) ([]groundwork.Reporter, error) {
		read, _, err := v.ReadContacts(t.Context(), by, groundwork.ContactQuery{OpinionID: &opinion, Purpose: callsBack})
		return read, err
	}
	read, err := ask(bound, inside)
	require.NoError(t, err)
	require.Len(t, read, 1)
	read, err = ask(bound, outside)
	require.Empty(t, read)
	require.Equal(t, groundwork.CodeForbidden, groundwork.CodeOf(err))
	require.ErrorContains(t, err, "outside of what")
	read, err = ask(privacy, outside)
	require.NoError(t, err)
	require.Len(t, read, 1)

	// The door says so itself.
	door := func(opinion uuid.UUID) error {
		_, err := v.sql(`WITH who AS MATERIALIZED (SELECT set_config('groundwork.actor', 'privacy', false), set_config('groundwork.role', 'PRIVACY_OFFICER', false),
				set_config('groundwork.regions', $1, false))
			SELECT (SELECT count(*) FROM vault.read_identities(ARRAY[$2::uuid], $3)) FROM who`, here.String(), opinion, callsBack)
		return err
	}
	require.NoError(t, door(inside))
	require.ErrorContains(t, door(outside), "outside of what")
}

// The doors hold the rules by themselves, whatever the program says.
func TestTheDoorsOfTheVault(t *testing.T) {
	t.Parallel()
	v := newVault(t)
	open, secret := v.submit(atIntake, "", herself), v.submit(atIntake, groundwork.Confidential, herself)
	door := func(role string, opinion uuid.UUID, why string) error {
		_, err := v.sql(`WITH who AS MATERIALIZED (SELECT set_config('groundwork.actor', 'x', false), set_config('groundwork.role', $1, false),
				set_config('groundwork.everywhere', 'on', false))
			SELECT (SELECT count(*) FROM vault.read_identities(ARRAY[$2::uuid], $3)) FROM who`, role, opinion, why)
		return err
	}
	require.NoError(t, door("PRIVACY_OFFICER", open.ID, callsBack))
	require.ErrorContains(t, door("PRIVACY_OFFICER", open.ID, " why "), "a purpose says why")
	require.ErrorContains(t, door("PRIVACY_OFFICER", secret.ID, callsBack), "in confidence")
	require.ErrorContains(t, door("INTAKE", open.ID, callsBack), "is not handled by x now")
	require.ErrorContains(t, door("HANDLER", open.ID, callsBack), "is not handled by x now")
	require.ErrorContains(t, door("SUPERVISOR", open.ID, callsBack), "not for role SUPERVISOR")

	for role, may := range map[string]map[string]bool{
		postgres.RoleApp: {"vault.write_identity(gen_random_uuid(), '12345678', 'x')": true,
			"vault.reporters_for('{}')": false, "audit.note_read('x', 'y', '{}')": false},
		postgres.RoleVault:   {"vault.purpose('12345678')": true},
		postgres.RoleJobs:    {"vault.purpose('12345678')": false},
		postgres.RoleETL:     {"vault.write_identity(gen_random_uuid(), '12345678', 'x')": false},
		postgres.RoleAuditor: {"vault.write_identity(gen_random_uuid(), '12345678', 'x')": false},
	} {
		conn := connectAs(t, v.dsn, role)
		for call, allowed := range may {
			require.Equal(t, allowed, !refused(t, conn, "SELECT "+call), "%s %s", role, call)
		}
		for _, table := range []string{"vault.identity", "vault.official_identity"} {
			require.Equal(t, role != postgres.RoleVault, refused(t, conn, "SELECT * FROM "+table), "%s %s", role, table)
		}
		if role == postgres.RoleVault {
			require.True(t, refused(t, conn, "SELECT id FROM opinion"), "identities, and nothing else")
		}
	}
}

func TestNamesOfOfficials(t *testing.T) {
	t.Parallel()
	v := newVault(t)
	ctx := t.Context()
	official, _, err := v.CreateOfficial(ctx, groundwork.System, groundwork.Official{Pseudonym: "o-1"})
	require.NoError(t, err)
	_, err = v.NameOfficial(ctx, groundwork.System, groundwork.OfficialName{OfficialID: official.ID, Name: "王强"})
	require.NoError(t, err)
	_, err = v.NameOfficial(ctx, groundwork.System, groundwork.OfficialName{OfficialID: uuid.New(), Name: "王强"})
	require.Error(t, err, "there is no such official")
	read := func(by groundwork.Actor) ([]groundwork.OfficialName, error) {
		names, _, err := v.ReadOfficialNames(ctx, by, []uuid.UUID{official.ID}, "the yearly assessment")
		return names, err
	}
	for _, by := range []groundwork.Actor{{ID: "a", Role: groundwork.RoleAssessor}, {ID: "l", Role: groundwork.RoleLeader, OfficialID: &official.ID}} {
		names, err := read(by)
		require.NoError(t, err)
		require.Equal(t, []groundwork.OfficialName{{OfficialID: official.ID, Name: "王强"}}, names)
	}
	_, err = read(groundwork.Actor{ID: "l", Role: groundwork.RoleLeader, OfficialID: new(uuid.New())})
	require.Equal(t, groundwork.CodeForbidden, groundwork.CodeOf(err))
}

// A new key is put in front, all is encrypted anew, the old one is taken away.
func TestRekey(t *testing.T) {
	t.Parallel()
	v := newVault(t)
	o := v.submit(atIntake, "", herself)
	one, two := vaultKeyOf(t, 1), vaultKeyOf(t, 2)
	keeper := v.open(postgres.RoleVault, two, one)
	n, err := keeper.Rekey(t.Context(), true)
	require.NoError(t, err)
	require.EqualValues(t, 1, n)
	for _, want := range []int64{1, 0} {
		n, err = keeper.Rekey(t.Context(), false)
		require.NoError(t, err)
		require.Equal(t, want, n)
	}
	read, _, err := v.open(postgres.RoleApp, two).ReadContacts(t.Context(), privacy, groundwork.ContactQuery{OpinionID: &o.ID, Purpose: callsBack})
	require.NoError(t, err)
	require.Equal(t, "李梅", read[0].Name)
	_, _, err = v.ReadContacts(t.Context(), privacy, groundwork.ContactQuery{OpinionID: &o.ID, Purpose: callsBack})
	require.Equal(t, groundwork.CodeUnavailable, groundwork.CodeOf(err), "the old key alone opens nothing any more")
}

// Reading identities is sealed and verified with the rest of the audit.
func TestTheLogOfAccessesIsVerified(t *testing.T) {
	t.Parallel()
	v := newVault(t)
	o := v.submit(atIntake, "", herself)
	_, _, err := v.ReadContacts(t.Context(), privacy, groundwork.ContactQuery{OpinionID: &o.ID, Purpose: callsBack})
	require.NoError(t, err)
	key := postgres.Options{AuditKey: []byte("a key for the seals of the audit")}
	auditor := pgtest.Open(t, v.dsn, key)
	require.Eventually(t, func() bool {
		_, err := auditor.SealAudit(t.Context(), v.now)
		require.NoError(t, err)
		report, err := auditor.VerifyAudit(t.Context())
		require.NoError(t, err)
		return report.Unsealed == 0
	}, time.Minute, 50*time.Millisecond, "transactions elsewhere on the server keep back the seals")
	conn := connectAs(t, v.dsn, "postgres")
	_, err = conn.Exec(t.Context(), "SET session_replication_role = replica; UPDATE audit.entry SET purpose = 'none' WHERE action = 'READ'")
	require.NoError(t, err)
	report, err := auditor.VerifyAudit(t.Context())
	require.NoError(t, err)
	require.Len(t, report.Faults, 1)
	_, err = conn.Exec(t.Context(), "SET session_replication_role = origin; DELETE FROM audit.entry WHERE action = 'READ'")
	require.ErrorContains(t, err, "append-only")
}

func TestBrokenGlass(t *testing.T) {
	t.Parallel()
	v := newVault(t)
	ctx := t.Context()
	o := v.submit(atIntake, groundwork.Confidential, nil)
	analyst := groundwork.Actor{ID: "an", Role: groundwork.RoleAnalyst, Via: groundwork.Request{ClientMutationID: "once"}}
	open := func(by groundwork.Actor) bool {
		of, err := v.GlassesOpen(ctx, by, []uuid.UUID{o.ID})
		require.NoError(t, err)
		return of[o.ID]
	}
	require.False(t, open(analyst))
	wish := groundwork.Glass{OpinionID: &o.ID, Reason: "a court order of today"}
	g, _, err := v.BreakGlass(ctx, analyst, wish)
	require.NoError(t, err)
	again, _, err := v.BreakGlass(ctx, analyst, wish)
	require.NoError(t, err)
	require.Equal(t, g.ID, again.ID, "a retry breaks nothing more")
	require.True(t, open(analyst))
	require.False(t, open(groundwork.Actor{ID: "an", Role: groundwork.RoleHandler}), "in the role in which it was broken")
	require.False(t, open(groundwork.Actor{ID: "another", Role: groundwork.RoleAnalyst}))
	told, err := v.Notifications(groundwork.WithActor(ctx, privacy), privacy, true, groundwork.PageRequest{First: 10})
	require.NoError(t, err)
	require.Len(t, told.Items, 1)
	require.Equal(t, []any{groundwork.ToldGlassBroken, &g.ID}, []any{told.Items[0].Kind, told.Items[0].GlassID})

	v.now = v.now.Add(groundwork.GlassOpen - time.Second)
	require.True(t, open(analyst))
	v.now = v.now.Add(time.Second)
	require.False(t, open(analyst), "it closes by itself")

	analyst.Via.ClientMutationID = ""
	g, _, err = v.BreakGlass(ctx, analyst, wish)
	require.NoError(t, err)
	page, err := v.Glasses(groundwork.WithActor(ctx, privacy), true, groundwork.PageRequest{First: 10})
	require.NoError(t, err)
	require.Len(t, page.Items, 1)
	_, _, err = v.RevokeGlass(ctx, analyst, g.ID)
	require.Equal(t, groundwork.CodeForbidden, groundwork.CodeOf(err))
	v.now = v.now.Add(time.Minute)
	revoked, _, err := v.RevokeGlass(ctx, privacy, g.ID)
	require.NoError(t, err)
	require.Equal(t, "privacy", *revoked.RevokedBy)
	require.False(t, open(analyst))
	_, _, err = v.RevokeGlass(ctx, privacy, uuid.New())
	require.Equal(t, groundwork.CodeNotFound, groundwork.CodeOf(err))

	for _, by := range []groundwork.Actor{groundwork.Anonymous, {ID: "c", Role: groundwork.RoleCitizen}, {ID: "r", Role: groundwork.RoleResearcher}} {
		_, _, err = v.BreakGlass(ctx, by, wish)
		require.Equal(t, groundwork.CodeForbidden, groundwork.CodeOf(err), by.Role)
	}
	_, _, err = v.BreakGlass(ctx, analyst, groundwork.Glass{OpinionID: &o.ID, Reason: "because"})
	require.ErrorContains(t, err, "say why")
	_, _, err = v.BreakGlass(ctx, analyst, groundwork.Glass{OpinionID: new(uuid.New()), Reason: wish.Reason})
	require.Equal(t, groundwork.CodeNotFound, groundwork.CodeOf(err))

	for statement, says := range map[string]string{
		"UPDATE glass SET expires_at = expires_at + interval '1 hour' RETURNING 1": "stays on record",
		"UPDATE glass SET revoked_at = NULL, revoked_by = NULL RETURNING 1":        "stays on record",
		"INSERT INTO glass (id, opinion_id, account, role, reason, opened_at, expires_at) VALUES (gen_random_uuid(), $1, 'an', 'ANALYST', 'a good reason', now(), now() + interval '25 hours') RETURNING 1": "check",
	} {
		var args []any
		if says == "check" {
			args = []any{o.ID}
		}
		_, err := v.sql(statement, args...)
		require.ErrorContains(t, err, says, statement)
	}
}
